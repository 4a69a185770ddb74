//! What the demo shows to whoever sits at its machine, and to nobody else: the mails it sent, and whom
//! one can sign in as.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header;
use kernel::Timestamp;
use mail::mailbox::{self, StoredMail};
use serde::Serialize;
use serde_json::{Value, json};
use web::{ClientAddress, Handled, Problem, code};

use super::{loopback, people};

/// How many mails are listed: the newest.
const LISTED: usize = 100;

/// A mail may run nothing and load nothing. Its links open in place of the whole page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'self'; \
                      sandbox allow-top-navigation-by-user-activation";

/// A mail in the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    from: String,
    to: String,
    subject: String,
    sent_at: Timestamp,
    text: String,
}

impl From<StoredMail> for Listed {
    fn from(mail: StoredMail) -> Self {
        let StoredMail { name, from, to, subject, sent_at, text, .. } = mail;
        Self { name, from, to, subject, sent_at, text }
    }
}

/// The routes; `folder` is where mails are written.
pub(super) fn routes(folder: PathBuf) -> Router {
    Router::new()
        .route("/demo/mails", get(list))
        .route("/demo/mails/{name}", get(show))
        .with_state(Arc::new(folder))
        .route("/demo/people", get(people))
        .layer(from_fn(only_here))
}

async fn only_here(request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ClientAddress>().copied();
    if loopback::is_here(client, request.uri(), request.headers()) {
        return next.run(request).await;
    }
    code::FORBIDDEN.problem("The demo's mails are shown only on the machine that it runs on.").into_response()
}

async fn list(State(folder): State<Arc<PathBuf>>) -> Handled<Json<Value>> {
    let mails = mailbox::list(&folder, LISTED).await.map_err(Problem::internal)?;
    let data: Vec<Listed> = mails.into_iter().map(Listed::from).collect();
    Ok(Json(json!({ "data": data })))
}

async fn show(State(folder): State<Arc<PathBuf>>, Path(name): Path<String>) -> Handled<Response> {
    let mail = mailbox::read(&folder, &name)
        .await
        .map_err(|error| code::NOT_FOUND.problem("There is no such mail.").caused_by(error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, in_place_of_the_page(&mail.html)).into_response())
}

/// The mail, whose links lead out of the frame that it is shown in.
fn in_place_of_the_page(html: &str) -> String {
    const TARGET: &str = "<base target=\"_top\">";
    match html.split_once("<head>") {
        Some((before, after)) => format!("{before}<head>{TARGET}{after}"),
        None => format!("{TARGET}{html}"),
    }
}

async fn people() -> Json<Value> {
    let customers: Vec<Value> = people::SHOPPERS
        .iter()
        .map(|shopper| json!({ "name": shopper.name, "email": shopper.email }))
        .collect();
    Json(json!({ "password": people::PASSWORD, "customers": customers }))
}
