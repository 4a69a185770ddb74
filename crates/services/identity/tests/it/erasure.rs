use contracts::identity::SessionEnded;
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};
use web::auth::TokenError;

use crate::shop::{ADA, Call, PASSWORD, Shop};

on_both_engines! {
    async fn a_person_who_was_erased_is_forgotten_and_the_address_is_free_again(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (customer, pair) = shop.customer(ADA).await;
        shop.sign_in(ADA, "a wrong password").await;
        shop.post("/v1/auth/recover", json!({"email": ADA})).await;
        shop.service.catch_up().await.unwrap();
        shop.platform.vault.destroy(customer.uuid()).await.unwrap();
        shop.sign_in(ADA, PASSWORD).await.is(401, "identity.bad_credentials");
        let event = shop.erased(customer);
        shop.react(&event).await;
        shop.react(&event).await;

        for table in ["accounts", "recoveries", "signups"] {
            assert_eq!(shop.rows(table).await, 0, "{table}");
        }
        shop.refresh(&pair.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.node.revocations.resync(&shop.node.identity).await;
        assert!(matches!(shop.node.verifier.verify(&pair.access).await, Err(TokenError::SessionEnded)));
        shop.sign_in(ADA, PASSWORD).await.is(401, "identity.bad_credentials");
        let ended = shop.events::<SessionEnded>().await;
        assert_eq!(ended.iter().map(|event| event.reason.as_str()).collect::<Vec<_>>(), ["erased"]);

        let (again, _) = shop.customer(ADA).await;
        assert_ne!(again, customer);
        shop.service.catch_up().await.unwrap();
        assert!(shop.service.check_audit().await.unwrap().broken_at.is_none(), "the chain holds");
    }

    async fn what_tells_who_they_were_is_gone_from_the_log(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        // An attempt from before there was an account stands under the address alone.
        shop.sign_in(ADA, PASSWORD).await;
        shop.service.catch_up().await.unwrap();
        let (customer, _) = shop.customer(ADA).await;
        shop.platform.vault.destroy(customer.uuid()).await.unwrap();
        shop.react(&shop.erased(customer)).await;
        let mut reader = shop.platform.database.read_primary().await.unwrap();
        let (indexes,): (i64,) = reader
            .fetch_one("SELECT COUNT(*) FROM audit_events WHERE address_index IS NOT NULL", &[])
            .await
            .unwrap();
        drop(reader);
        assert_eq!(indexes, 0);
        let administrator = shop.administrator().await;
        let path = format!("/v1/admin/identity/audit?account={customer}");
        let entries = shop.call(Call::get(&path).bearer(&administrator)).await.json();
        let entries = entries["data"].as_array().unwrap().clone();
        assert!(entries.len() >= 2);
        assert!(entries.iter().all(|entry| entry["network"].is_null() && entry["user_agent"].is_null()));
    }
}

/// Mails that wait are sealed under the person's key, so they are not sent any more.
#[tokio::test]
async fn a_mail_to_somebody_who_was_erased_is_not_sent() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (customer, pair) = shop.customer(ADA).await;
    let before = shop.mails(ADA).await.len();
    let body = json!({"current_password": PASSWORD, "new_password": "another good passphrase"});
    shop.call(Call::post("/v1/auth/password", body).bearer(&pair)).await;
    shop.platform.vault.destroy(customer.uuid()).await.unwrap();
    shop.react(&shop.erased(customer)).await;
    shop.service.catch_up().await.unwrap();
    assert_eq!(shop.mails(ADA).await.len(), before);
    assert_eq!(shop.rows("platform_due").await, 0, "and it is not tried for ever");
}

#[tokio::test]
async fn an_export_holds_what_there_is_and_no_secret() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (customer, pair) = shop.customer(ADA).await;
    let export = shop.node.identity.export(customer).await.unwrap();
    assert_eq!(export["email"], ADA);
    assert_eq!(export["sessions"][0]["id"], pair.session.to_string());
    assert_eq!(export["sessions"][0]["device"]["network"], "192.0.2.0/24");
    assert_eq!(export["history"][0]["action"], "verify");
    for secret in ["argon2", "seed", "hash", &pair.refresh] {
        assert!(!export.to_string().contains(secret), "{secret}");
    }
    let other =
        shop.node.identity.export(kernel::CustomerId::new(shop.clock().now(), &shop.platform.rng)).await;
    assert_eq!(other.unwrap()["email"], serde_json::Value::Null);
    let public = shop.call(Call::get(&format!("/internal/identity/customers/{customer}/export"))).await;
    public.is(404, "request.not_found");
}
