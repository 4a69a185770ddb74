use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, header};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

use crate::{Id, Problem, code};

const PAGE: &str = include_str!("docs.html");
const SCRIPT: &str = include_str!("docs.js");
const STYLE: &str = include_str!("docs.css");

/// Nothing from elsewhere, no script and no style within the page. Swagger UI sets style
/// attributes as it goes, and shows its icons as data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// `/openapi.json`, the page `/docs` that shows it, and `/docs/errors/{code}`, which is where the
/// `type` of a problem points. `error_page` gives the text of the page of a code.
///
/// # Errors
/// When the document has no JSON form.
pub fn routes(
    document: &OpenApi,
    error_page: fn(&str) -> Option<&'static str>,
) -> Result<Router, serde_json::Error> {
    let json = Bytes::from(super::to_json(document)?);
    let tag: Arc<str> = format!("\"{}\"", hex::encode(&Sha256::digest(&json)[..16])).into();
    let document = move || async move { tagged("application/json", &tag, json) };
    Ok(Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(|| async { page() }))
        .route("/docs/{file}", get(file))
        .route("/docs/errors/{code}", get(async move |Id(code): Id<String>| explain(error_page(&code)))))
}

fn page() -> Response {
    let mut response = content("text/html; charset=utf-8", PAGE);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

async fn file(Id(name): Id<String>) -> Result<Response, Problem> {
    match name.as_str() {
        "docs.js" => Ok(content("text/javascript; charset=utf-8", SCRIPT)),
        "docs.css" => Ok(content("text/css; charset=utf-8", STYLE)),
        "swagger-ui.css" => vendored("swagger-ui.css", "text/css; charset=utf-8"),
        "swagger-ui-bundle.js" => vendored("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        _ => Err(crate::middleware::no_such_address()),
    }
}

fn vendored(name: &str, media_type: &'static str) -> Result<Response, Problem> {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let tag = concat!("\"swagger-ui-", env!("CARGO_PKG_VERSION"), "\"");
            Ok(tagged(media_type, tag, file.bytes.into_owned().into()))
        }
        Ok(None) => Err(crate::middleware::no_such_address()),
        Err(error) => Err(Problem::internal(error.to_string())),
    }
}

fn explain(page: Option<&'static str>) -> Result<Response, Problem> {
    page.map(|text| content("text/plain; charset=utf-8", text)).ok_or_else(|| {
        code::NOT_FOUND.problem("There is no such error code. The API document lists them all.")
    })
}

fn content(media_type: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

fn tagged(media_type: &'static str, tag: &str, body: Bytes) -> Response {
    let mut response =
        ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-cache")], body).into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
