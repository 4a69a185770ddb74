use contracts::identity::{AccountVerified, SessionEnded};
use http::StatusCode;
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, Call, PASSWORD, Pair, Shop, token_in};

const NEW: &str = "another rosewood staple";

async fn change(shop: &Shop, pair: &Pair, current: &str, new: &str) -> crate::shop::Answer {
    let body = json!({"current_password": current, "new_password": new});
    shop.call(Call::post("/v1/auth/password", body).bearer(pair)).await
}

async fn recovery(shop: &Shop) -> String {
    assert_eq!(shop.post("/v1/auth/recover", json!({"email": ADA})).await.status, StatusCode::ACCEPTED);
    shop.service.catch_up().await.unwrap();
    token_in(&shop.last_mail(ADA).await)
}

on_both_engines! {
    async fn whoever_reads_the_mail_sets_a_new_password_and_everybody_is_signed_out(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, pair) = shop.customer(ADA).await;
        let token = recovery(&shop).await;
        let complete = "/v1/auth/recover/complete";
        let weak = shop.post(complete, json!({"token": token, "password": ADA})).await;
        weak.is(422, "identity.password_too_weak");
        let done = shop.post(complete, json!({"token": token, "password": NEW})).await;
        assert_eq!(done.status, StatusCode::NO_CONTENT);
        shop.post(complete, json!({"token": token, "password": NEW})).await.is(400, "identity.code_invalid");

        shop.refresh(&pair.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.node.revocations.resync(&shop.node.identity).await;
        shop.call(Call::get("/v1/auth/sessions").bearer(&pair)).await.is(401, "auth.session_ended");
        shop.sign_in(ADA, PASSWORD).await.is(401, "identity.bad_credentials");
        shop.sign_in(ADA, NEW).await.pair();
        shop.service.catch_up().await.unwrap();
        assert!(shop.last_mail(ADA).await.subject.contains("was changed"));
        assert_eq!(shop.events::<SessionEnded>().await[0].reason, "recovered");
    }

    async fn who_knows_the_present_password_changes_it_and_ends_the_other_sessions(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, pair) = shop.customer(ADA).await;
        let other = shop.sign_in(ADA, PASSWORD).await.pair();
        change(&shop, &pair, "not the present one", NEW).await.is(403, "identity.wrong_password");
        let weak = change(&shop, &pair, PASSWORD, "qwertyuiop").await;
        weak.is(422, "identity.password_too_weak");
        assert_eq!(weak.json()["errors"][0]["pointer"], "/new_password");
        assert_eq!(change(&shop, &pair, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
        shop.refresh(&other.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.refresh(&pair.refresh).await.pair();
        shop.sign_in(ADA, NEW).await.pair();
        shop.service.catch_up().await.unwrap();
        assert!(shop.last_mail(ADA).await.subject.contains("was changed"));
    }
}

#[tokio::test]
async fn a_recovery_of_an_address_without_account_sends_nothing_and_links_run_out() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.post("/v1/auth/recover", json!({"email": "nobody@example.com"})).await;
    shop.service.catch_up().await.unwrap();
    assert!(shop.mails("nobody@example.com").await.is_empty());

    shop.customer(ADA).await;
    let token = recovery(&shop).await;
    shop.advance(1_800);
    let body = json!({"token": token, "password": NEW});
    shop.post("/v1/auth/recover/complete", body).await.is(400, "identity.code_invalid");
    shop.sign_in(ADA, PASSWORD).await.pair();
}

/// Reset flooding: somebody else asks again and again.
#[tokio::test]
async fn a_mailbox_is_not_flooded() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer(ADA).await;
    let before = shop.mails(ADA).await.len();
    for attempt in 0..40 {
        let body = json!({"email": ADA});
        let call = Call::post("/v1/auth/recover", body).from(&format!("192.0.2.{attempt}"));
        assert_eq!(shop.call(call).await.status, StatusCode::ACCEPTED);
    }
    shop.service.catch_up().await.unwrap();
    assert_eq!(shop.mails(ADA).await.len() - before, 5);
    shop.advance(1_801);
    recovery(&shop).await;
    assert_eq!(shop.mails(ADA).await.len() - before, 6, "and not kept from a mail for good");
}

/// Recovery proves the address as well as a verification does.
#[tokio::test]
async fn somebody_who_was_brought_from_elsewhere_proves_the_address_by_recovery() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let customer_id = kernel::CustomerId::new(shop.clock().now(), &shop.platform.rng);
    let row = contracts::identity::ImportAccount {
        customer_id,
        email: ADA.into(),
        verified: false,
        password_hash: None,
        created_at: kernel::Timestamp::from_seconds(852_076_800),
    };
    shop.service.import_accounts(vec![row], contracts::import::Mode::Apply).await.unwrap();
    let token = recovery(&shop).await;
    let body = json!({"token": token, "password": NEW});
    assert_eq!(shop.post("/v1/auth/recover/complete", body).await.status, StatusCode::NO_CONTENT);
    let pair = shop.sign_in(ADA, NEW).await.pair();
    assert_eq!(shop.claims(&pair).await.sub, customer_id.to_string());
    assert_eq!(shop.events::<AccountVerified>().await[0].customer_id, customer_id);
}

#[tokio::test]
async fn a_change_needs_somebody_who_is_signed_in() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    shop.post("/v1/auth/password", body).await.is(401, "auth.missing");
}
