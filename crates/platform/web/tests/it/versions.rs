use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get as on_get, put};
use http::Method;
use web::{Created, Handled, IfMatch, NoContent, Versioned};

use crate::support::{code, get, get_with, request, send};

const CURRENT: i64 = 7;

async fn change(version: IfMatch) -> Handled<NoContent> {
    version.check(CURRENT)?;
    Ok(NoContent)
}

async fn maybe(version: Option<IfMatch>) -> String {
    format!("{version:?}")
}

fn app() -> Router {
    let thing = async || Versioned::new("thing", CURRENT);
    let created = async || Created { location: "/things/1".to_owned(), body: Versioned::new("thing", 1) };
    Router::new()
        .route("/thing", put(change).get(thing).post(created))
        .route("/maybe", on_get(maybe))
        .layer(from_fn(web::middleware::conditional))
}

async fn put_for(tags: &[&str]) -> crate::support::Answer {
    let headers: Vec<_> = tags.iter().map(|tag| ("if-match", *tag)).collect();
    send(&app(), request(Method::PUT, "/thing", &headers, "")).await
}

#[tokio::test]
async fn the_tag_that_was_read_comes_back() {
    let answer = get(&app(), "/thing").await;
    assert_eq!((answer.header("etag"), answer.text()), (Some("\"7\""), "\"thing\""));
    assert_eq!(put_for(&["\"7\""]).await.status, 204);
    assert_eq!(put_for(&["\"v7\""]).await.status, 204);
    assert_eq!(put_for(&["\"7.c0ffee\""]).await.status, 204);
    let created = send(&app(), request(Method::POST, "/thing", &[], "")).await;
    assert_eq!(created.status, 201);
    assert_eq!((created.header("location"), created.header("etag")), (Some("/things/1"), Some("\"1\"")));
}

#[tokio::test]
async fn a_stale_version_learns_the_present_one() {
    let answer = put_for(&["\"6\""]).await;
    assert_eq!(answer.code(), code(412, "precondition.failed"));
    assert_eq!(answer.json()["current_version"], CURRENT);
}

#[tokio::test]
async fn a_write_without_a_version_is_refused() {
    for tags in [&[][..], &["*"]] {
        assert_eq!(put_for(tags).await.code(), code(428, "precondition.required"));
    }
    for tags in [
        &["7"][..],
        &["W/\"7\""],
        &["\"x\""],
        &["\"7\", \"8\""],
        &["\"7\"", "\"7\""],
        &["\"99999999999999999999\""],
    ] {
        assert_eq!(put_for(tags).await.code(), code(412, "precondition.failed"), "{tags:?}");
    }
    assert_eq!(get(&app(), "/maybe").await.text(), "None");
    assert_eq!(get_with(&app(), "/maybe", &[("if-match", "\"3\"")]).await.text(), "Some(IfMatch(3))");
}

#[tokio::test]
async fn who_has_the_version_already_gets_nothing_again() {
    for list in ["\"7\"", "W/\"7\"", "\"1\", \"7\"", "*"] {
        let answer = get_with(&app(), "/thing", &[("if-none-match", list)]).await;
        assert_eq!(answer.status, 304, "{list}");
        assert_eq!(answer.header("etag"), Some("\"7\""));
        assert!(answer.body.is_empty());
    }
    assert_eq!(get_with(&app(), "/thing", &[("if-none-match", "\"6\"")]).await.status, 200);
    let write = request(Method::POST, "/thing", &[("if-none-match", "\"1\"")], "");
    assert_eq!(send(&app(), write).await.status, 201, "only reads are answered so");
}
