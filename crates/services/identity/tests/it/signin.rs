use identity::{Config, HashingConfig};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, PASSWORD, Shop, quick};

on_both_engines! {
    async fn the_right_password_begins_a_session_and_a_wrong_one_does_not(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (customer, first) = shop.customer(ADA).await;
        let pair = shop.sign_in(ADA, PASSWORD).await.pair();
        assert_ne!(pair.session, first.session);
        let claims = shop.claims(&pair).await;
        assert_eq!((claims.sub, claims.amr), (customer.to_string(), vec!["pwd".to_owned()]));
        shop.sign_in(ADA, "something else entirely").await.is(401, "identity.bad_credentials");
    }
}

/// Answers are the same to the byte but for the id of the request, and each costs one hash.
#[tokio::test]
async fn neither_the_answer_nor_the_work_tells_whether_an_address_is_known() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer("known@example.com").await;
    shop.signed_up("unproved@example.com", PASSWORD).await;
    let mut refusals = Vec::new();
    for email in ["known@example.com", "unknown@example.com", "unproved@example.com"] {
        let before = shop.service.hashes_computed();
        let notes = shop.rows("platform_due").await;
        let answer = shop.sign_in(email, "not the right password").await;
        assert_eq!(shop.service.hashes_computed() - before, 1, "{email}");
        assert_eq!(shop.rows("platform_due").await - notes, 1, "every refusal leaves one note: {email}");
        answer.is(401, "identity.bad_credentials");
        let mut body = answer.json();
        assert!(body["request_id"].take().is_string());
        let names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        refusals.push((answer.status, body, names));
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:?}");

    for path in ["/v1/auth/signup", "/v1/auth/verify/resend", "/v1/auth/recover"] {
        let mut answers = Vec::new();
        for email in ["known@example.com", "unknown@example.com", "unproved@example.com"] {
            let (hashes, notes) = (shop.service.hashes_computed(), shop.rows("platform_due").await);
            let mut body = json!({"email": email});
            if path.ends_with("signup") {
                body["password"] = PASSWORD.into();
            }
            let answer = shop.post(path, body).await;
            let work = (shop.service.hashes_computed() - hashes, shop.rows("platform_due").await - notes);
            answers.push((answer.status, answer.raw, work));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {answers:?}");
        assert_eq!(answers[0].2.1, 1, "{path} leaves one note");
    }

    let mut refusals = Vec::new();
    for email in ["known@example.com", "unknown@example.com", "unproved@example.com"] {
        let answer = shop.post("/v1/auth/verify", json!({"email": email, "code": "00000000"})).await;
        let mut body = answer.json();
        assert!(body["request_id"].take().is_string());
        refusals.push((answer.status, body));
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:?}");
}

#[tokio::test]
async fn a_hash_is_made_anew_when_the_parameters_have_changed() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer(ADA).await;
    let stored = async || {
        let mut reader = shop.platform.database.read_primary().await.unwrap();
        let (hash,): (String,) = reader.fetch_one("SELECT password_hash FROM accounts", &[]).await.unwrap();
        hash
    };
    let before = stored().await;
    assert!(before.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid="), "{before}");
    shop.sign_in(ADA, PASSWORD).await.pair();
    assert_eq!(stored().await, before, "nothing has changed");

    let hashing = HashingConfig { memory_kib: 128, ..quick().hashing };
    let stronger = identity::Service::new(&shop.platform, Config { hashing, ..quick() }).await.unwrap();
    let node = crate::shop::Node::of(&stronger, &shop.platform);
    let body = json!({"email": ADA, "password": PASSWORD});
    node.send(crate::shop::Call::post("/v1/auth/signin", body)).await.pair();
    assert!(stored().await.starts_with("$argon2id$v=19$m=128,t=1,p=1,keyid="));
    shop.sign_in(ADA, PASSWORD).await.pair();
}
