use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Version, header};

use crate::code;

/// A body of at most so many bytes is read before anybody looks at the request.
const SMALL: usize = 16 * 1024;

/// Waits for a small body before anything is decided, and says so when a large one was not waited for.
///
/// A refusal by path or caller would otherwise be answered while the body is still on its way. The connection
/// could then not be used again and would be closed without a word, and the next request on it, perhaps
/// another customer's through the same proxy, would break off.
pub async fn arrive(request: Request, next: Next) -> Response {
    match announced(request.headers()) {
        Some(0) => next.run(request).await,
        Some(1..=SMALL) => {
            let (parts, body) = request.into_parts();
            match to_bytes(body, SMALL).await {
                Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
                Err(_) => code::MALFORMED_JSON
                    .problem("The body broke off before its end. Send it again.")
                    .into_response(),
            }
        }
        _ => {
            let is_multiplexed = request.version() >= Version::HTTP_2;
            let mut response = next.run(request).await;
            let status = response.status();
            if !is_multiplexed && (status.is_client_error() || status.is_server_error()) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

/// How long the body is said to be; `None` when that is not known before its end.
fn announced(headers: &HeaderMap) -> Option<usize> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok(),
        None => Some(0),
    }
}
