//! Where the links in mails lead when the shop has no front end of its own yet: proving an address,
//! setting a new password, looking at one order. Plain pages that use only the public API.

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderValue, header};

const ACCOUNT: &str = include_str!("account.html");
const SCRIPT: &str = include_str!("account.js");
const STYLE: &str = include_str!("account.css");

/// Scripts and styles from here only, and calls to here only: the token in the address goes nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/account/verify`, `/account/recover`, `/orders/{id}`, and what they load.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/account/verify", get(async || page()))
        .route("/account/recover", get(async || page()))
        .route("/orders/{id}", get(async || page()))
        .route("/account/account.js", get(async || file(SCRIPT, "text/javascript; charset=utf-8")))
        .route("/account/account.css", get(async || file(STYLE, "text/css; charset=utf-8")))
}

fn page() -> Response {
    let mut response = file(ACCOUNT, "text/html; charset=utf-8");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The address holds a token.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn file(content: &'static str, media_type: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type)], content).into_response()
}
