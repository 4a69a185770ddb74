use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use contracts::identity::{AccountVerified, SessionEnded};
use http::{HeaderMap, StatusCode};
use identity::{Config, PasswordConfig, RangeConfig};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, Call, PASSWORD, Pair, Shop, quick, token_in};

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

async fn weakness(shop: &Shop, email: &str, password: &str, name: &str) -> Option<String> {
    let body = json!({"email": email, "password": password, "name": name});
    let answer = shop.post("/v1/auth/signup", body).await;
    match answer.status {
        StatusCode::ACCEPTED => None,
        _ => {
            answer.is(422, "identity.password_too_weak");
            assert_eq!(answer.json()["errors"][0]["pointer"], "/password");
            Some(answer.json()["errors"][0]["code"].as_str().unwrap().to_owned())
        }
    }
}

/// The person's own words and the shop's make a password no stronger.
#[tokio::test]
async fn a_password_is_as_strong_as_what_somebody_who_knows_the_person_would_try() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let passwords = PasswordConfig { words: vec!["Maren Vale".to_owned()], ..PasswordConfig::default() };
    let shop = Shop::with(&db, Config { passwords, ..quick() }).await;
    for (password, name, code) in [
        ("augusta-byron-1", "Augusta Byron", Some("guessable")),
        ("lovelace.ada 7", "Somebody", Some("guessable")),
        ("marenvale99", "Somebody", Some("guessable")),
        ("augusta-byron-1", "Somebody", None),
        ("qwertyuiop", "Somebody", Some("common")),
        ("correct horse battery staple", "Somebody", None),
    ] {
        let found = weakness(&shop, "ada.lovelace@example.com", password, name).await;
        assert_eq!(found.as_deref(), code, "{password} of {name}");
    }
    let passwords = PasswordConfig { min_score: 0, ..PasswordConfig::default() };
    let lenient = Shop::with(&db, Config { passwords, ..quick() }).await;
    assert_eq!(weakness(&shop, ADA, "rosewood12", "Augusta Byron").await.as_deref(), Some("guessable"));
    assert_eq!(weakness(&lenient, ADA, "rosewood12", "Augusta Byron").await, None);
    assert_eq!(weakness(&lenient, ADA, "qwertyuiop", "Somebody").await.as_deref(), Some("common"));
}

#[tokio::test]
async fn passwords_on_the_operators_list_are_refused() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "first one of the list\nThe Leaked Rosewood Staple\n").unwrap();
    let passwords = PasswordConfig { list: Some(file.path().to_owned()), ..PasswordConfig::default() };
    let shop = Shop::with(&db, Config { passwords, ..quick() }).await;
    let leaked = "the leaked rosewood staple";
    assert_eq!(weakness(&shop, ADA, leaked, "Ada").await.as_deref(), Some("breached"));
    let (_, pair) = shop.customer(ADA).await;
    change(&shop, &pair, PASSWORD, leaked).await.is(422, "identity.password_too_weak");
    let token = recovery(&shop).await;
    let body = json!({"token": token, "password": leaked});
    shop.post("/v1/auth/recover/complete", body).await.is(422, "identity.password_too_weak");
}

#[tokio::test]
async fn a_list_that_cannot_be_used_ends_the_start_with_the_settings_name() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let passwords = PasswordConfig { list: Some("/nowhere/at/all".into()), ..PasswordConfig::default() };
    let config = Config { passwords, ..quick() };
    let error = identity::Service::new(&shop.platform, config).await.err().unwrap();
    let mut told = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told.push_str(&error.to_string());
        source = error.source();
    }
    assert!(told.contains("identity.passwords.list"), "{told}");
}

/// Answers as the range service does: for every prefix the rest of the digests that it knows.
async fn range_service(known: &'static str) -> (String, Arc<Mutex<Vec<(String, bool)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    let answer = move |Path(prefix): Path<String>, headers: HeaderMap| async move {
        let padded = headers.get("add-padding").is_some_and(|value| value == "true");
        notes.lock().unwrap().push((prefix.clone(), padded));
        match known.strip_prefix(prefix.as_str()) {
            Some(rest) => (StatusCode::OK, format!("{}:0\r\n{rest}:12\r\n", "0".repeat(35))),
            None if known.is_empty() => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
            None => (StatusCode::OK, format!("{}:0\r\n", "0".repeat(35))),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/range/{prefix}", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

fn asking(url: &str) -> Config {
    let range = RangeConfig { url: url.to_owned(), timeout_ms: 10_000, ..RangeConfig::default() };
    let passwords = PasswordConfig { range: Some(range), ..PasswordConfig::default() };
    Config { passwords, ..quick() }
}

/// SHA-1 of `another rosewood staple`.
const NEW_SHA1: &str = "DA77E68F07AA3E9F99F36FF02D39F933ECD86EE9";

/// The service is told five digits of a new password's digest, and nothing when somebody signs in.
#[tokio::test]
async fn a_password_that_the_range_service_knows_is_refused() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let (url, asked) = range_service(NEW_SHA1).await;
    let shop = Shop::with(&db, asking(&url)).await;
    assert_eq!(weakness(&shop, ADA, NEW, "Ada").await.as_deref(), Some("breached"));
    let (_, pair) = shop.customer(ADA).await;
    change(&shop, &pair, PASSWORD, NEW).await.is(422, "identity.password_too_weak");
    shop.sign_in(ADA, PASSWORD).await.pair();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "twice for the one and once for the other password");
    assert_eq!(asked[0], (NEW_SHA1[..5].to_owned(), true));
}

/// The service must not be able to keep people from having an account.
#[tokio::test]
async fn a_range_service_that_fails_lets_every_password_through() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let (failing, asked) = range_service("").await;
    let shop = Shop::with(&db, asking(&failing)).await;
    assert_eq!(weakness(&shop, ADA, NEW, "Ada").await, None);
    assert_eq!(asked.lock().unwrap().len(), 1);

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let shop = Shop::with(&db, asking(&url)).await;
    assert_eq!(weakness(&shop, ADA, NEW, "Ada").await, None);

    // Somebody who listens and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = asking(&format!("http://{}", silent.local_addr().unwrap()));
    config.passwords.range.as_mut().unwrap().timeout_ms = 50;
    let shop = Shop::with(&db, config).await;
    assert_eq!(weakness(&shop, ADA, NEW, "Ada").await, None);
}
