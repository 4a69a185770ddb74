use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use web::{Handled, Id, code};

use crate::error::{Error, PICTURE_NOT_FOUND};
use crate::ops::put_picture::{UPLOADS, key};
use crate::service::Service;

/// A picture may run nothing and load nothing, even when somebody opens it as a page: an SVG could
/// carry a script.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/// What stands at the address of an upload never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Other pictures may be replaced; the `ETag` tells.
const FOR_A_DAY: &str = "public, max-age=86400";

web::errors!(Errors: code::BAD_ID, PICTURE_NOT_FOUND);

/// A picture
///
/// The bytes of a picture of a product. The `ETag` is the checksum of the bytes.
#[utoipa::path(
    get,
    path = "/media/{folder}/{file}",
    operation_id = "get_picture",
    tag = "catalog",
    params(
        ("folder" = String, Path, description = "Where it lies.", example = "products"),
        ("file" = String, Path, description = "Its name.", example = "daylight-skin-tint.svg"),
    ),
    responses(
        (status = 200, description = "The picture.", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "It is still as `If-None-Match` says."),
        Errors,
    ),
    security(()),
)]
pub(crate) async fn get_picture(
    State(service): State<Service>,
    Id((folder, file)): Id<(String, String)>,
) -> Handled<Response> {
    let path = format!("{folder}/{file}");
    let (meta, content) = service.objects.get(&key(&path)).await.map_err(Error::from)?;
    let fields: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, meta.content_type),
        (header::CONTENT_LENGTH, meta.size.to_string()),
        (header::ETAG, format!("\"{}\"", meta.sha256)),
    ];
    let mut response = Body::from_stream(content).into_response();
    let headers = response.headers_mut();
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    let lasts = if path.starts_with(UPLOADS) { FOR_EVER } else { FOR_A_DAY };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasts));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
