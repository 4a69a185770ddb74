//! How far a caller has written, carried between processes. A caller who sends back what an answer
//! said reads its own writes from any copy of a service, whatever replica that one reads from.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use database::consistency::{self, Position};
use http::{HeaderMap, HeaderName, HeaderValue};

const FIELD: HeaderName = HeaderName::from_static("souk-position");

/// Works on `request` on behalf of the caller that `key` tells from others, and says in the answer
/// how far they have written.
pub(super) async fn scoped(key: String, request: Request, next: Next) -> Response {
    let known = read(request.headers()).unwrap_or_default();
    consistency::with_caller_at(key, known, async {
        let mut response = next.run(request).await;
        write(response.headers_mut());
        response
    })
    .await
}

/// Says in `headers` how far the caller of the present scope has written.
pub(crate) fn write(headers: &mut HeaderMap) {
    let position = consistency::position();
    if !position.is_empty()
        && let Ok(value) = HeaderValue::try_from(position.to_string())
    {
        headers.insert(FIELD, value);
    }
}

/// How far somebody has written, as `headers` say it.
pub(crate) fn read(headers: &HeaderMap) -> Option<Position> {
    headers.get(FIELD)?.to_str().ok()?.parse().ok()
}
