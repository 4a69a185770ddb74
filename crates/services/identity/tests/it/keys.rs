use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::Value;
use testkit::TestDatabase;
use tower::ServiceExt as _;

use crate::shop::{ADA, Call, PASSWORD, Shop};

fn kids(set: &Value) -> Vec<String> {
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn part(token: &str, index: usize) -> Value {
    use base64::Engine as _;
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn access_tokens_have_the_form_of_rfc_9068() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (customer, pair) = shop.customer(ADA).await;
    let (header, claims) = (part(&pair.access, 0), part(&pair.access, 1));
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"EdDSA".into()));
    assert_eq!((&claims["iss"], &claims["aud"]), (&"https://shop.example".into(), &"souk".into()));
    assert_eq!(
        (&claims["sub"], &claims["sid"]),
        (&customer.to_string().into(), &pair.session.to_string().into())
    );
    let again = shop.refresh(&pair.refresh).await.pair();
    assert_ne!(claims["jti"], part(&again.access, 1)["jti"], "two tokens of one second differ");
    let answer = shop.call(Call::get("/.well-known/jwks.json")).await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    assert_eq!(kids(&answer.json()), [kid(&pair.access)]);
    assert_eq!(answer.json()["keys"][0]["crv"], "Ed25519");
    assert!(answer.json()["keys"][0].get("d").is_none());
}

/// The next key is published long before it signs, so no verifier meets a key that it does not know,
/// and tokens of the old one stay good.
#[tokio::test]
async fn keys_rotate_while_sessions_go_on() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, mut pair) = shop.customer(ADA).await;
    let old = kid(&pair.access);
    shop.claims(&pair).await;
    let next = shop.service.rotate_keys().await.unwrap();
    assert_ne!(next, old);
    let published = shop.call(Call::get("/.well-known/jwks.json")).await.json();
    assert_eq!(kids(&published), [old.clone(), next.clone()]);
    assert_eq!(shop.service.rotate_keys().await.unwrap(), next, "asked twice, rotated once");

    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..12 {
        shop.advance(100);
        let before = pair.clone();
        pair = shop.refresh(&pair.refresh).await.pair();
        seen.insert(kid(&pair.access));
        shop.claims(&before).await;
        shop.claims(&pair).await;
    }
    assert_eq!(seen, [old.clone(), next.clone()].into());
    assert_eq!(kid(&pair.access), next);
    shop.advance(3_700);
    shop.service.rotate_keys().await.unwrap();
    let published = shop.call(Call::get("/.well-known/jwks.json")).await.json();
    assert!(!kids(&published).contains(&old), "it leaves when none of its tokens can be good");
    shop.sign_in(ADA, PASSWORD).await.pair();
}

/// What is for other services is for nobody else, wherever its router is mounted.
#[tokio::test]
async fn internal_routes_answer_services_only() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (customer, _) = shop.customer(ADA).await;
    assert_eq!(shop.node.identity.key_set().await.unwrap()["keys"].as_array().unwrap().len(), 1);
    for path in ["revocations", "jwks", &format!("customers/{customer}/export")] {
        let request = Request::get(format!("/internal/identity/{path}")).body(Body::empty()).unwrap();
        let response = shop.service.internal().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}
