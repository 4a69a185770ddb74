use http::Method;
use testkit::TestDatabase;
use testkit::database::Engine;
use web::{Caller, Role};

use crate::support::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest";
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

async fn shop() -> Shop {
    Shop::open(TestDatabase::on(Engine::Sqlite).await).await
}

async fn upload(shop: &Shop, content_type: &str, bytes: &[u8]) -> Answer {
    let request = (Method::POST, "/v1/admin/media");
    shop.send(request, staff(&[Role::Catalog]), &[("content-type", content_type)], bytes.to_vec()).await
}

#[tokio::test]
async fn an_upload_stands_at_an_address_of_its_own_for_ever() {
    let shop = shop().await;
    let first = upload(&shop, "image/png", PNG).await;
    assert_eq!(first.status, 201, "{first:?}");
    let url = first.ok()["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("/media/uploads/") && url.ends_with(".png"), "{url}");
    assert_eq!(upload(&shop, "image/png", PNG).await.ok(), first.ok());

    let picture = shop.get(&url).await;
    assert_eq!((picture.status.as_u16(), &picture.body[..]), (200, PNG));
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(picture.header("content-length"), PNG.len().to_string());
    assert_eq!(picture.header("cache-control"), "public, max-age=31536000, immutable");
    let tag = picture.header("etag").to_owned();
    let again = shop.get_with(&url, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}

#[tokio::test]
async fn a_picture_runs_nothing() {
    let shop = shop().await;
    shop.objects.put("media/products/tint.svg", SVG.to_vec(), "image/svg+xml").await.unwrap();
    let picture = shop.get("/media/products/tint.svg").await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert_eq!(picture.header("cache-control"), "public, max-age=86400");
    let policy = picture.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert!(!policy.contains("script"), "{policy}");
}

#[tokio::test]
async fn nothing_but_pictures_is_taken() {
    let shop = shop().await;
    for content_type in ["text/html", "application/json", "image/x-icon", ""] {
        let answer = upload(&shop, content_type, PNG).await;
        assert_eq!(answer.refusal(), refusal(415, "request.unsupported_media_type"), "{content_type}");
    }
    for (content_type, bytes) in
        [("image/png", SVG), ("image/svg+xml", b"<html></html>"), ("image/jpeg", b"")]
    {
        let answer = upload(&shop, content_type, bytes).await;
        assert_eq!(answer.refusal(), refusal(400, "catalog.picture_unreadable"), "{content_type}");
    }
}

#[tokio::test]
async fn a_picture_may_be_large_but_not_larger() {
    let shop = shop().await;
    let mut bytes = PNG.to_vec();
    bytes.resize(5 * 1024 * 1024, 0);
    assert_eq!(upload(&shop, "image/png", &bytes).await.status, 201);
    bytes.push(0);
    assert_eq!(upload(&shop, "image/png", &bytes).await.refusal(), refusal(413, "request.too_large"));
    let json = shop
        .json(
            (Method::POST, "/v1/admin/products"),
            staff(&[Role::Catalog]),
            &[],
            &"x".repeat(2_000_000).into(),
        )
        .await;
    assert_eq!(json.refusal(), refusal(413, "request.too_large"), "only pictures may be so large");
}

#[tokio::test]
async fn only_public_files_are_served() {
    let shop = shop().await;
    shop.objects.put("exports/cus_1/all.json", "secret", "application/json").await.unwrap();
    shop.objects.put("media-private/x/y.png", "secret", "image/png").await.unwrap();
    for path in [
        "/media/exports/all.json",
        "/media/products/none.svg",
        "/media/%2e%2e/exports",
        "/media/..%2fexports%2fcus_1/all.json",
        "/media/products/.souk",
        "/media/products/%00.svg",
        "/media/products/%ff",
    ] {
        let answer = shop.send((Method::GET, path), Caller::Anonymous, &[], Vec::new()).await;
        let (status, code) = answer.refusal();
        assert!(
            status == 404 && (code == "catalog.picture_not_found" || code == "request.bad_id"),
            "{path} {code}"
        );
    }
}
