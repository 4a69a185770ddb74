use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};

/// Answers a GET with 304 when the caller has the present version already (`If-None-Match`,
/// RFC 9110 section 13.1.2), for whatever answer carries an `ETag`.
pub async fn conditional(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<String> = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter(|_| reads)
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    let response = next.run(request).await;
    if known.is_empty() || response.status() != StatusCode::OK {
        return response;
    }
    match response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()) {
        Some(tag) if known.iter().any(|list| lists(list, tag)) => not_modified(response.headers()),
        _ => response,
    }
}

/// Whether `list` names `tag`, compared weakly.
fn lists(list: &str, tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.trim() == "*" || list.split(',').any(|known| bare(known) == bare(tag))
}

fn not_modified(found: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    let kept = [header::ETAG, header::CACHE_CONTROL, header::VARY, header::CONTENT_LOCATION, header::EXPIRES];
    for name in kept {
        for value in found.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    response
}
