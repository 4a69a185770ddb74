use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use web::{Handled, Role, Staff, code};

use crate::error::PICTURE_UNREADABLE;
use crate::model::picture::MAX_BYTES;
use crate::ops::put_picture::put_picture as put;
use crate::service::Service;

/// Where the picture stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Picture {
    /// Its address, for the `images` of a product.
    #[schema(examples("/media/uploads/9f86d081884c7d659a2feaa0c55ad015.png"))]
    url: String,
}

web::errors!(
    Errors: code::CALLER, code::TOO_LARGE, code::UNSUPPORTED_MEDIA_TYPE, PICTURE_UNREADABLE
);

/// Upload a picture
///
/// For staff with the role `catalog`: PNG, JPEG, WebP, AVIF, GIF or SVG of at most 5 MiB. The address
/// follows from the bytes, so the same picture sent twice stands once.
#[utoipa::path(
    post,
    path = "/v1/admin/media",
    operation_id = "put_picture",
    tag = "catalog",
    request_body(content = Vec<u8>, content_type = "image/*"),
    responses((status = 201, description = "It is there.", body = Picture), Errors),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn put_picture(
    State(service): State<Service>,
    staff: Staff,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Handled<(StatusCode, Json<Picture>)> {
    staff.require(Role::Catalog)?;
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            code::TOO_LARGE.problem(format!("A picture has at most {MAX_BYTES} bytes. Send a smaller one."))
        }
        _ => PICTURE_UNREADABLE.problem("The picture broke off before its end. Send it again."),
    })?;
    let path = put(&service.objects, content_type, content).await?;
    Ok((StatusCode::CREATED, Json(Picture { url: format!("/media/{path}") })))
}
