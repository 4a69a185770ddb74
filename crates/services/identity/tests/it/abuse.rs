use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use identity::{Config, HashingConfig, LimitConfig};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, Answer, Call, PASSWORD, Shop, code_in, quick, soon, token_in};

fn attempt(email: &str, password: &str, from: &str) -> Call {
    Call::post("/v1/auth/signin", json!({"email": email, "password": password})).from(from)
}

on_both_engines! {
    async fn a_code_cannot_be_guessed_but_its_link_stays_good(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let mail = shop.signed_up(ADA, PASSWORD).await;
        let right = code_in(&mail);
        let wrong = if right.starts_with('0') { "1000 0000" } else { "0000 0000" };
        for guess in 0..5 {
            let body = json!({"email": ADA, "code": wrong});
            let call = Call::post("/v1/auth/verify", body).from(&format!("192.0.2.{guess}"));
            shop.call(call).await.is(400, "identity.code_invalid");
        }
        let body = json!({"email": ADA, "code": right});
        shop.post("/v1/auth/verify", body).await.is(400, "identity.code_invalid");
        shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await.pair();
    }

    /// Guesses that come at the same time are counted one by one.
    async fn guessing_in_parallel_wins_nothing(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let mail = shop.signed_up(ADA, PASSWORD).await;
        let guesses = (0..12).map(|guess| {
            let body = json!({"email": ADA, "code": format!("{guess:08}")});
            shop.call(Call::post("/v1/auth/verify", body).from(&format!("192.0.2.{guess}")))
        });
        let answers = join_all(guesses).await;
        assert!(answers.iter().all(|answer| answer.status != StatusCode::OK));
        let body = json!({"email": ADA, "code": code_in(&mail)});
        shop.post("/v1/auth/verify", body).await.is(400, "identity.code_invalid");
    }
}

#[tokio::test]
async fn a_link_works_once_however_many_click_at_the_same_time() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let mail = shop.signed_up(ADA, PASSWORD).await;
    let clicks = (0..6).map(|_| shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})));
    let opened = join_all(clicks).await.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(opened, 1);
}

/// Brute force on one account from one source is held back; the owner, elsewhere, is not.
#[tokio::test]
async fn guessing_on_one_account_is_slowed_down_and_its_owner_is_not_locked_out() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer(ADA).await;
    let mut refused = Vec::new();
    for guess in 0..15 {
        refused.push(shop.call(attempt(ADA, &format!("guess number {guess}"), "198.51.100.1")).await);
    }
    let codes: Vec<_> = refused.iter().map(Answer::code).collect();
    assert!(codes[..10].iter().all(|code| code == "identity.bad_credentials"), "{codes:?}");
    assert!(codes[10..].iter().all(|code| code == "rate_limited"), "{codes:?}");
    assert_eq!(refused[10].status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused[10].json()["violated_policies"], json!(["identity.account"]));
    let wait: u64 = refused[10].headers["retry-after"].to_str().unwrap().parse().unwrap();
    shop.call(attempt(ADA, PASSWORD, "198.51.100.1")).await.is(429, "rate_limited");
    for _ in 0..15 {
        shop.call(attempt(ADA, PASSWORD, "203.0.113.5")).await.pair();
    }
    shop.advance(wait);
    shop.call(attempt(ADA, PASSWORD, "198.51.100.1")).await.pair();
}

/// An unknown address is held back like a known one.
#[tokio::test]
async fn a_limit_does_not_tell_whether_an_address_is_known() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer(ADA).await;
    let mut statuses = Vec::new();
    for (email, from) in [(ADA, "198.51.100.1"), ("nobody@example.com", "198.51.100.2")] {
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push(shop.call(attempt(email, "some wrong password", from)).await.status);
        }
        statuses.push(seen);
    }
    assert_eq!(statuses[0], statuses[1]);
}

#[tokio::test]
async fn one_source_cannot_try_many_accounts_nor_cause_many_mails() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let limits = LimitConfig { attempts_per_source: 100, ..LimitConfig::default() };
    let shop = Shop::with(&db, Config { limits, ..quick() }).await;
    for number in 0..100 {
        let answer = shop.call(attempt(&format!("user{number}@example.com"), "x", "2001:db8:1:2::1")).await;
        answer.is(401, "identity.bad_credentials");
    }
    let answer = shop.call(attempt("user100@example.com", "x", "2001:db8:1:2:ffff::9")).await;
    answer.is(429, "rate_limited");

    for path in ["/v1/auth/signup", "/v1/auth/recover", "/v1/auth/verify/resend"] {
        for number in 0..10 {
            let body = match path {
                "/v1/auth/signup" => json!({"email": format!("n{number}@example.com"), "password": PASSWORD}),
                _ => json!({"email": format!("n{number}@example.com")}),
            };
            let answer = shop.call(Call::post(path, body).from("198.51.100.77")).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
    }
    let body = json!({"email": "n31@example.com"});
    let answer = shop.call(Call::post("/v1/auth/recover", body).from("198.51.100.77")).await;
    answer.is(429, "rate_limited");
}

/// A flood of sign-ins is turned away; the rest of the service does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_sign_ins_is_refused_and_others_are_answered() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    // Each hash takes long, one runs and two wait.
    let hashing =
        HashingConfig { memory_kib: 19_456, passes: 20, threads: 1, queue: 2, ..HashingConfig::default() };
    let shop = Shop::with(&db, Config { hashing, ..quick() }).await;
    let (_, pair) = shop.customer(ADA).await;
    let flood =
        (0..12).map(|number| shop.call(attempt(ADA, "wrong password", &format!("198.51.100.{number}"))));
    let others = async {
        let mut answered = 0;
        for _ in 0..20 {
            let sessions = shop.call(Call::get("/v1/auth/sessions").bearer(&pair)).await;
            let keys = shop.call(Call::get("/.well-known/jwks.json")).await;
            answered += usize::from(sessions.status == StatusCode::OK && keys.status == StatusCode::OK);
        }
        answered
    };
    let (answers, answered) = tokio::join!(join_all(flood), others);
    assert_eq!(answered, 20);
    let overloaded: Vec<_> = answers.iter().filter(|answer| answer.code() == "identity.overloaded").collect();
    assert!(overloaded.len() >= 7, "{:?}", answers.iter().map(Answer::code).collect::<Vec<_>>());
    assert_eq!(overloaded[0].status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(overloaded[0].headers["retry-after"], "2");
    assert!(
        answers.iter().any(|answer| answer.code() == "identity.bad_credentials"),
        "some were let through"
    );
    shop.refresh(&pair.refresh).await.pair();
}

/// Whoever waits longer than the deadline is told so, and their work is not done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_longer_than_the_deadline() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let hashing = HashingConfig {
        memory_kib: 19_456,
        passes: 30,
        threads: 1,
        queue: 64,
        wait_ms: 50,
        ..HashingConfig::default()
    };
    let shop = Shop::with(&db, Config { hashing, ..quick() }).await;
    let flood = (0..8).map(|number| {
        shop.call(attempt("nobody@example.com", "wrong password", &format!("198.51.100.{number}")))
    });
    let answers = join_all(flood).await;
    let late = answers.iter().filter(|answer| answer.code() == "identity.overloaded").count();
    assert!(late >= 1, "{:?}", answers.iter().map(Answer::code).collect::<Vec<_>>());
    let done = (answers.len() - late) as u64;
    assert!(soon(Duration::from_secs(5), async || shop.service.hashes_computed() == done).await);
}
