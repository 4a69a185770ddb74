//! What handlers answer with.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::Page;
use serde::Serialize;

/// A resource as JSON with its version as `ETag`, ready to come back as `If-Match`.
#[derive(Clone, Copy, Debug)]
pub struct Versioned<T> {
    /// The resource.
    pub value: T,
    /// Its version, which every change raises.
    pub version: i64,
}

impl<T> Versioned<T> {
    /// A resource at a version.
    pub const fn new(value: T, version: i64) -> Self {
        Self { value, version }
    }
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.value).into_response();
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", self.version)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// 201 with the address of what was created and a body, such as a [`Versioned`] or `axum::Json`.
#[derive(Clone, Debug)]
pub struct Created<B> {
    /// The path of the new resource.
    pub location: String,
    /// The body.
    pub body: B,
}

impl<B: IntoResponse> IntoResponse for Created<B> {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// 204: done, and nothing to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// One page of a list with `Link: <…>; rel="next"` (RFC 8288) when there is a next one;
/// [`PageQuery::page`](crate::PageQuery::page) makes it.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    pub(crate) page: Page<T>,
    pub(crate) next: Option<String>,
}

impl<T: Serialize> IntoResponse for Paged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.page).into_response();
        let link = self.next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
