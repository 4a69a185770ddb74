use identity::{COLUMNS, Config};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};

use crate::shop::{ADA, Call, PASSWORD, Shop, quick};

const TABLES: [&str; 6] = ["accounts", "signups", "recoveries", "sessions", "audit_events", "platform_due"];

async fn sizes(shop: &Shop) -> Vec<i64> {
    let mut sizes = Vec::new();
    for table in TABLES {
        sizes.push(shop.rows(table).await);
    }
    sizes
}

on_both_engines! {
    async fn every_column_is_declared_with_what_erasure_does_to_it(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let live = shop.platform.database.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(COLUMNS, &live), Vec::<String>::new());
    }
}

/// Idea 8: a day of churn, thirty times over, leaves as many rows as the first few days did.
#[tokio::test]
async fn idea_8_thirty_days_of_churn_leave_the_size_flat() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let mut config = Config { audit_days: 5, ..quick() };
    config.customer_session.idle_s = 2 * 86_400;
    let shop = Shop::with(&db, config).await;
    shop.customer(ADA).await;
    let mut history = Vec::new();
    for day in 0..30 {
        for visit in 0..3 {
            let from = format!("198.51.100.{visit}");
            let call = |path: &str, body| Call::post(path, body).from(&from);
            let pair =
                shop.call(call("/v1/auth/signin", json!({"email": ADA, "password": PASSWORD}))).await.pair();
            let next = shop.refresh(&pair.refresh).await.pair();
            shop.refresh(&next.refresh).await.pair();
            shop.call(call("/v1/auth/signin", json!({"email": ADA, "password": "a wrong password"}))).await;
            shop.call(call("/v1/auth/recover", json!({"email": ADA}))).await;
            let stranger = json!({"email": format!("d{day}v{visit}@example.com"), "password": PASSWORD});
            shop.call(call("/v1/auth/signup", stranger)).await;
        }
        shop.advance(86_400);
        shop.service.catch_up().await.unwrap();
        history.push(sizes(&shop).await);
    }
    let settled = &history[6];
    for (day, sizes) in history.iter().enumerate().skip(7) {
        assert_eq!(sizes, settled, "day {day}, {TABLES:?}");
    }
    assert!(shop.service.check_audit().await.unwrap().broken_at.is_none(), "what is left is still a chain");
}

/// The workers do by themselves what tests do with `catch_up`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_send_mails_and_end_when_told() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let shutdown = host::Shutdown::new();
    let running: Vec<_> =
        shop.service.workers().iter().map(|worker| tokio::spawn(worker.run(shutdown.clone()))).collect();
    shop.post("/v1/auth/signup", json!({"email": ADA, "password": PASSWORD})).await;
    let patience = std::time::Duration::from_secs(10);
    assert!(crate::shop::soon(patience, async || shop.mails(ADA).await.len() == 1).await);
    let chained = async || shop.service.check_audit().await.unwrap().entries == 1;
    assert!(crate::shop::soon(patience, chained).await);
    shutdown.set();
    for worker in running {
        worker.await.unwrap();
    }
}

/// Secrets are not at rest in any form that could be used.
#[tokio::test]
async fn nothing_at_rest_can_be_used() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let body = json!({"email": "secret-ada@example.com", "password": PASSWORD});
    shop.post("/v1/auth/signup", body).await;
    let (_, pair) = shop.customer(ADA).await;
    shop.post("/v1/auth/recover", json!({"email": ADA})).await;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(db.folder()).unwrap() {
        files.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| files.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("identity.account_verified.v1"), "this is where the data is");
    for secret in [PASSWORD, ADA, "secret-ada", &pair.refresh, &pair.access, "#token="] {
        assert!(!holds(secret), "{secret} is at rest");
    }
}
