use std::time::Duration;

use axum::Router;
use axum::routing::{get as on_get, post as on_post};
use contracts::{CallError, ChannelError};
use kernel::{Clock, Secret, Timestamp};
use web::auth::{InternalTokens, internal_layer};
use web::channel::{Switchboard, local};
use web::{Handled, Internal, code};

use crate::support::{code as refused, get, get_with};

fn tokens() -> InternalTokens {
    InternalTokens::new(&Secret::new([7; 32]), Clock::manual(Timestamp::from_seconds(1_780_000_000)))
}

fn catalog() -> Router {
    let router = Router::new()
        .route("/internal/catalog/whoami", on_get(async |caller: Internal| format!("{:?}", caller.service)))
        .route("/internal/catalog/refuse", on_post(refuse))
        .route("/internal/catalog/panic", on_get(async || -> String { panic!("on purpose") }))
        .route("/internal/catalog/hang", on_get(async || std::future::pending::<String>().await));
    internal_layer(router, tokens(), "catalog")
}

async fn refuse() -> Handled<()> {
    Err(code::FORBIDDEN.problem("not you").with("lines", vec!["var_1"]))
}

#[tokio::test]
async fn the_other_service_knows_who_calls() {
    let channel = local("orders", "catalog", catalog());
    assert_eq!(channel.get::<String>("/internal/catalog/whoami").await.unwrap(), "orders");
}

#[tokio::test]
async fn a_service_that_is_connected_later_is_reached_then() {
    let board = Switchboard::new();
    let channel = board.channel("orders", "catalog");
    let early = channel.get::<String>("/internal/catalog/whoami").await.unwrap_err();
    assert!(
        matches!(early, CallError::Channel(ChannelError::Unreachable { service }) if service == "catalog")
    );
    board.connect("catalog", catalog());
    assert_eq!(channel.get::<String>("/internal/catalog/whoami").await.unwrap(), "orders");
    board.connect("catalog", Router::new());
    assert_eq!(channel.get::<String>("/internal/catalog/whoami").await.unwrap(), "orders", "the first stays");
}

#[tokio::test]
async fn a_refusal_keeps_its_members_and_a_panic_is_a_fault() {
    let channel = local("orders", "catalog", catalog());
    let error = channel.post::<_, ()>("/internal/catalog/refuse", &()).await.unwrap_err();
    assert!(error.is("auth.forbidden"));
    assert_eq!(error.rejection().unwrap().members["lines"][0], "var_1");
    let error = channel.get::<String>("/internal/catalog/panic").await.unwrap_err();
    assert!(matches!(error, CallError::Failed { status: 500 }));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let channel = local("orders", "catalog", catalog());
    let began = tokio::time::Instant::now();
    let error = channel.get::<String>("/internal/catalog/hang").await.unwrap_err();
    assert!(matches!(error, CallError::Channel(ChannelError::TimedOut { .. })));
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn from_outside_only_a_token_for_this_very_service_opens_internal_routes() {
    let app = catalog();
    assert_eq!(get(&app, "/internal/catalog/whoami").await.code(), refused(401, "auth.missing"));
    let with = async |token: &str| {
        get_with(&app, "/internal/catalog/whoami", &[("souk-internal-token", token)]).await
    };
    assert_eq!(with("nonsense").await.code(), refused(401, "auth.token_invalid"));
    let for_another = tokens().sign("orders", "payments").unwrap();
    assert_eq!(with(&for_another).await.code(), refused(401, "auth.token_invalid"));
    let for_it = tokens().sign("orders", "catalog").unwrap();
    assert_eq!(with(&for_it).await.text(), "\"orders\"");
}
