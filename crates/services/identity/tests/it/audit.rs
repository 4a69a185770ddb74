use std::collections::BTreeSet;

use http::header;
use serde_json::{Value, json};
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, Answer, Call, PASSWORD, Pair, Shop, code_in, token_in};

const AUDIT: &str = "/v1/admin/identity/audit";

async fn audit(shop: &Shop, pair: &Pair, query: &str) -> Vec<Value> {
    let answer = shop.call(Call::get(&format!("{AUDIT}?limit=100&{query}")).bearer(pair)).await;
    assert_eq!(answer.status.as_u16(), 200, "{:?}", answer.raw);
    answer.json()["data"].as_array().unwrap().clone()
}

fn line(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", text("action"), text("outcome"), text("reason"), text("method"))
}

on_both_engines! {
    /// Everything that a person can try leaves its line, and what went as it should tells whose it was.
    async fn every_attempt_leaves_its_line(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let mail = shop.signed_up(ADA, PASSWORD).await;
        shop.post("/v1/auth/verify/resend", json!({"email": ADA})).await;
        shop.service.catch_up().await.unwrap();
        shop.post("/v1/auth/verify", json!({"email": ADA, "code": "0"})).await;
        let pair = shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await.pair();
        let customer = shop.claims(&pair).await.sub;
        let second = shop.sign_in(ADA, PASSWORD).await.pair();
        shop.sign_in(ADA, "not the right one").await;
        shop.sign_in("nobody@example.com", PASSWORD).await;
        shop.post("/v1/auth/signup", json!({"email": ADA, "password": PASSWORD})).await;
        shop.refresh("souk_rt_nonsense").await;
        shop.refresh(&second.refresh).await.pair();
        let third = shop.refresh(&second.refresh).await.pair();
        shop.refresh(&third.refresh).await.pair();
        shop.refresh(&second.refresh).await.is(401, "identity.refresh_token_invalid");
        let body = json!({"current_password": "x", "new_password": "another good passphrase"});
        shop.call(Call::post("/v1/auth/password", body).bearer(&pair)).await.is(403, "identity.wrong_password");
        let gone = format!("/v1/auth/sessions/{}", second.session);
        shop.call(Call::delete(&gone).bearer(&pair)).await.is(404, "identity.session_not_found");
        shop.call(Call::delete("/v1/auth/sessions").bearer(&pair)).await;
        shop.post("/v1/auth/recover", json!({"email": ADA})).await;
        shop.service.catch_up().await.unwrap();
        let mails = shop.mails(ADA).await;
        let token = token_in(mails.iter().find(|mail| mail.subject.contains("Set a new password")).unwrap());
        shop.post("/v1/auth/recover/complete", json!({"token": "x", "password": PASSWORD})).await;
        shop.post("/v1/auth/recover/complete", json!({"token": token, "password": "another good passphrase"})).await;
        let pair = shop.sign_in(ADA, "another good passphrase").await.pair();
        shop.call(Call::new(http::Method::POST, "/v1/auth/signout").bearer(&pair)).await;
        shop.service.catch_up().await.unwrap();

        let administrator = shop.administrator().await;
        let own = audit(&shop, &administrator, &format!("account={customer}")).await;
        let lines: BTreeSet<_> = own.iter().map(line).collect();
        for expected in [
            "verify succeeded - link",
            "sign_in succeeded - password",
            "sign_in refused wrong_password password",
            "sign_up accepted already_registered -",
            "refresh succeeded answer_lost refresh_token",
            "refresh refused token_reused refresh_token",
            "change_password refused wrong_password password",
            "end_session refused unknown_session access_token",
            "end_other_sessions succeeded - access_token",
            "recover accepted - -",
            "complete_recovery succeeded - link",
            "sign_out succeeded - access_token",
        ] {
            assert!(lines.contains(expected), "{expected} is not among {lines:#?}");
        }
        let all: BTreeSet<_> = audit(&shop, &administrator, "").await.iter().map(line).collect();
        for expected in [
            "sign_up accepted - -",
            "resend accepted - -",
            "verify refused bad_code code",
            "sign_in refused unknown_address password",
            "refresh refused bad_token refresh_token",
            "complete_recovery refused bad_code link",
            "add_staff succeeded - -",
        ] {
            assert!(all.contains(expected), "{expected} is not among {all:#?}");
        }
    }

    async fn the_log_can_be_filtered_and_paged(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        for _ in 0..7 {
            shop.advance(60);
            shop.sign_in("nobody@example.com", PASSWORD).await;
            shop.service.catch_up().await.unwrap();
        }
        let administrator = shop.administrator().await;
        let refused = audit(&shop, &administrator, "outcome=refused").await;
        assert_eq!(refused.len(), 7);
        assert!(refused.iter().all(|entry| entry["account"] == Value::Null));

        let mut seen = Vec::new();
        let mut path = format!("{AUDIT}?limit=3&outcome=refused");
        loop {
            let answer: Answer = shop.call(Call::get(&path).bearer(&administrator)).await;
            seen.extend(answer.json()["data"].as_array().unwrap().clone());
            let Some(cursor) = answer.json()["next_cursor"].as_str().map(str::to_owned) else { break };
            let link = answer.headers[header::LINK].to_str().unwrap().to_owned();
            assert!(link.contains(&cursor) && link.contains("outcome=refused"), "{link}");
            path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        }
        assert_eq!(seen, refused);

        let from = refused[4]["at"].as_str().unwrap();
        let to = refused[1]["at"].as_str().unwrap();
        let between = audit(&shop, &administrator, &format!("outcome=refused&from={from}&to={to}")).await;
        assert_eq!(between, refused[2..=4]);
    }

    async fn a_changed_or_missing_entry_is_found(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        shop.customer(ADA).await;
        for _ in 0..5 {
            shop.sign_in(ADA, PASSWORD).await;
        }
        shop.service.catch_up().await.unwrap();
        let sound = shop.service.check_audit().await.unwrap();
        assert_eq!((sound.entries, sound.broken_at), (7, None));
        for tampering in [
            "UPDATE audit_events SET outcome = 'refused' WHERE sequence = 3",
            "DELETE FROM audit_events WHERE sequence = 5",
        ] {
            let changed: Result<u64, database::Error> = shop
                .platform
                .database
                .write(|mut tx| async move {
                    let changed = tx.execute(tampering, &[]).await?;
                    tx.commit(changed).await
                })
                .await;
            assert_eq!(changed.unwrap(), 1);
            assert!(shop.service.check_audit().await.unwrap().broken_at.is_some(), "{tampering}");
        }
    }
}

#[tokio::test]
async fn an_entry_shows_the_device_and_the_request_and_nothing_more() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let administrator = shop.administrator().await;
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    let call =
        Call::post("/v1/auth/signin", body).from("203.0.113.77").header(header::USER_AGENT, "curl/8.5.0");
    let answer = shop.call(call).await;
    shop.service.catch_up().await.unwrap();
    let entries = audit(&shop, &administrator, "outcome=refused").await;
    let entry = &entries[0];
    assert_eq!((&entry["network"], &entry["user_agent"]), (&"203.0.113.0/24".into(), &"curl/8.5.0".into()));
    assert_eq!(entry["request_id"], answer.json()["request_id"]);
    assert!(entry["sequence"].is_i64(), "{entry}");
    for secret in [PASSWORD, "nobody@example.com", "203.0.113.77"] {
        assert!(!entry.to_string().contains(secret), "{entry}");
    }
}

#[tokio::test]
async fn only_administrators_read_the_log() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, customer) = shop.customer(ADA).await;
    let password = kernel::Secret::new(PASSWORD.to_owned());
    shop.service.add_staff("help@example.com", &[web::Role::Support], &password).await.unwrap();
    let support = shop.sign_in("help@example.com", PASSWORD).await.pair();
    shop.call(Call::get(AUDIT)).await.is(401, "auth.missing");
    shop.call(Call::get(AUDIT).bearer(&customer)).await.is(403, "auth.forbidden");
    shop.call(Call::get(AUDIT).bearer(&support)).await.is(403, "auth.forbidden");
    let administrator = shop.administrator().await;
    for query in ["?account=ord_1", "?outcome=fine", "?from=yesterday", "?who=me"] {
        shop.call(Call::get(&format!("{AUDIT}{query}")).bearer(&administrator))
            .await
            .is(400, "request.validation");
    }
    shop.call(Call::get(&format!("{AUDIT}?cursor=x")).bearer(&administrator))
        .await
        .is(400, "request.bad_cursor");
}

/// What is held back stands in the log once a minute, not once for each attempt.
#[tokio::test]
async fn a_flood_does_not_fill_the_log() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let mail = shop.signed_up(ADA, PASSWORD).await;
    assert!(!code_in(&mail).is_empty());
    for _ in 0..60 {
        shop.post("/v1/auth/verify", json!({"email": ADA, "code": "00000000"})).await;
    }
    let administrator = shop.administrator().await;
    let throttled = audit(&shop, &administrator, "outcome=throttled").await;
    assert_eq!(throttled.iter().map(line).collect::<Vec<_>>(), ["verify throttled - code"]);
}
