use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::routing::post as on_post;
use axum::{Json, Router};
use database::{Database, DatabaseConfig, Tx};
use http::Method;
use serde::Deserialize;
use testkit::TestDatabase;
use testkit::engines::Postgres;
use tokio::sync::Notify;
use web::{Created, Handled, Idempotent, NoBody, ValidJson, Validate, code};

use crate::support::{Answer, code, request, send};

#[derive(Clone)]
struct Shop {
    database: Database,
    runs: Arc<AtomicU32>,
    /// Told when the work of several steps has begun, and waited for before it ends.
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
}

impl Validate for Item {}

async fn insert(tx: &mut Tx, shop: &Shop, name: &str) -> Handled<u32> {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    tx.execute("INSERT INTO item (name) VALUES ($1)", &database::params![name]).await?;
    let (count,): (i64,) = tx.fetch_one("SELECT count(*) FROM item", &[]).await?;
    Ok(u32::try_from(count).unwrap())
}

async fn add(
    State(shop): State<Shop>,
    Idempotent(once, ValidJson(item)): Idempotent<ValidJson<Item>>,
) -> Handled<Response> {
    let (shop, item) = (&shop, &item);
    once.run(&shop.database, "cus_1", |mut tx| async move {
        let number = insert(&mut tx, shop, &item.name).await?;
        if item.name == "refused" {
            return Err(code::FORBIDDEN.problem("not this one"));
        }
        Ok((tx, Created { location: format!("/items/{number}"), body: Json(number) }))
    })
    .await
}

async fn add_in_steps(
    State(shop): State<Shop>,
    Idempotent(once, NoBody): Idempotent<NoBody>,
) -> Handled<Response> {
    let before = shop
        .database
        .write(|mut tx| {
            let (once, shop) = (&once, &shop);
            async move {
                if let Some(before) = once.begin(&mut tx, "cus_1").await? {
                    return Ok(tx.rollback(Some(before)).await?);
                }
                insert(&mut tx, shop, "step").await?;
                Ok::<_, web::Problem>(tx.commit(None).await?)
            }
        })
        .await?;
    if let Some(before) = before {
        return Ok(before);
    }
    shop.begun.notify_one();
    shop.go_on.notified().await;
    once.finish(&shop.database, "cus_1", Json("done")).await
}

async fn fail_in_steps(
    State(shop): State<Shop>,
    Idempotent(once, NoBody): Idempotent<NoBody>,
) -> Handled<Response> {
    let before = shop
        .database
        .write(|mut tx| {
            let once = &once;
            async move {
                let before = once.begin(&mut tx, "cus_1").await?;
                Ok::<_, web::Problem>(tx.commit(before).await?)
            }
        })
        .await?;
    assert!(before.is_none());
    once.abandon(&shop.database, "cus_1").await;
    Err(code::SERVICE_UNAVAILABLE.problem("the provider is away"))
}

/// Fails because the database has gone away in the middle.
async fn lose_in_steps(
    State((shop, postgres)): State<(Shop, Arc<Postgres>)>,
    Idempotent(once, NoBody): Idempotent<NoBody>,
) -> Handled<Response> {
    let before = shop
        .database
        .write(|mut tx| {
            let once = &once;
            async move {
                let before = once.begin(&mut tx, "cus_1").await?;
                Ok::<_, web::Problem>(tx.commit(before).await?)
            }
        })
        .await?;
    if let Some(before) = before {
        return Ok(before);
    }
    let first = shop.runs.fetch_add(1, Ordering::SeqCst) == 0;
    if first {
        postgres.kill().await;
    }
    let answer = once.finish(&shop.database, "cus_1", Json("done")).await;
    if answer.is_err() {
        once.abandon(&shop.database, "cus_1").await;
    }
    answer
}

#[tokio::test]
async fn a_key_is_free_again_soon_after_the_database_is_back() {
    let postgres = Arc::new(Postgres::start().await);
    let config = DatabaseConfig::postgres(postgres.create_database("tested").await);
    let database = TestDatabase::with(config, "tested").await;
    let shop = fixture(&database).await.shop;
    let app = Router::new().route("/lost", on_post(lose_in_steps)).with_state((shop, postgres.clone()));
    let post = async || {
        let headers = [("idempotency-key", "k")];
        send(&app, request(Method::POST, "/lost", &headers, String::new())).await.status
    };
    assert_eq!(post().await, 503);
    postgres.start_again().await;
    // The clock stands still, so the key would be held for ever.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match post().await.as_u16() {
            200 => return,
            status => assert!(matches!(status, 409 | 503), "{status}"),
        }
        assert!(tokio::time::Instant::now() < deadline, "the key is still held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Fixture {
    app: Router,
    shop: Shop,
}

async fn fixture(database: &Database) -> Fixture {
    let database = database.clone();
    let created: Result<(), database::Error> = database
        .write(|mut tx| async move {
            tx.execute("CREATE TABLE item (name TEXT NOT NULL)", &[]).await?;
            tx.commit(()).await
        })
        .await;
    created.unwrap();
    let shop = Shop { database, runs: Arc::default(), begun: Arc::default(), go_on: Arc::default() };
    let app = Router::new()
        .route("/items", on_post(add))
        .route("/steps", on_post(add_in_steps))
        .route("/failing", on_post(fail_in_steps))
        .with_state(shop.clone());
    Fixture { app, shop }
}

impl Fixture {
    async fn post(&self, path: &str, key: Option<&str>, body: &str) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        send(&self.app, request(Method::POST, path, &headers, body.to_owned())).await
    }

    async fn items(&self) -> i64 {
        let mut reader = self.shop.database.read().await.unwrap();
        reader.fetch_one::<(i64,)>("SELECT count(*) FROM item", &[]).await.unwrap().0
    }
}

testkit::on_both_engines! {
    async fn the_same_request_is_done_once_and_answered_alike(db: TestDatabase) {
        let shop = fixture(&db).await;
        let first = shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await;
        let again = shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await;
        assert_eq!(
            (first.status, first.header("location"), first.text()),
            (again.status, again.header("location"), "1")
        );
        assert_eq!((again.status.as_u16(), again.header("location"), again.text()), (201, Some("/items/1"), "1"));
        assert_eq!(
            (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
            (None, Some("true"))
        );
        assert_eq!(again.header("content-type"), Some("application/json"));
        assert_eq!(shop.items().await, 1);

        let mut reader = db.read_primary().await.unwrap();
        let kept: (String, Vec<u8>) =
            reader.fetch_one("SELECT idempotency_key, body FROM platform_idempotency", &[]).await.unwrap();
        drop(reader);
        assert!(kept.0 != "k1" && kept.1 != first.text().as_bytes(), "{kept:?} tells nothing");

        db.clock().advance(Duration::from_secs(24 * 60 * 60 + 1));
        assert_eq!(
            shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await.text(),
            "2",
            "a day later it is forgotten"
        );
    }

    async fn another_request_under_the_same_key_is_refused(db: TestDatabase) {
        let shop = fixture(&db).await;
        shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await;
        for (path, body) in [("/items", r#"{"name":"b"}"#), ("/items?x=1", r#"{"name":"a"}"#), ("/steps", "")] {
            assert_eq!(
                shop.post(path, Some("k1"), body).await.code(),
                code(422, "idempotency.key_reused"),
                "{path}"
            );
        }
        assert_eq!(shop.items().await, 1);
    }

    async fn without_a_key_it_is_done_each_time_and_a_bad_key_is_refused(db: TestDatabase) {
        let shop = fixture(&db).await;
        for expected in ["1", "2"] {
            assert_eq!(shop.post("/items", None, r#"{"name":"a"}"#).await.text(), expected);
        }
        let long = "k".repeat(256);
        for key in ["", "two words", long.as_str()] {
            let answer = shop.post("/items", Some(key), r#"{"name":"a"}"#).await;
            assert_eq!(answer.code(), code(400, "idempotency.key_invalid"), "{key:?}");
        }
        let longest = "k".repeat(255);
        assert_eq!(shop.post("/items", Some(&longest), r#"{"name":"a"}"#).await.status, 201);
        let invalid = shop.post("/items", Some("k2"), r#"{"title":"a"}"#).await;
        assert_eq!(invalid.code(), code(400, "request.validation"));
    }

    async fn a_refusal_changes_nothing_and_leaves_the_key_free(db: TestDatabase) {
        let shop = fixture(&db).await;
        assert_eq!(shop.post("/items", Some("k1"), r#"{"name":"refused"}"#).await.status, 403);
        assert_eq!(shop.items().await, 0);
        assert_eq!(shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await.status, 201);
    }

    async fn many_at_once_are_done_once(db: TestDatabase) {
        let shop = Arc::new(fixture(&db).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let shop = Arc::clone(&shop);
            tasks.spawn(async move { shop.post("/items", Some("k1"), r#"{"name":"a"}"#).await });
        }
        let answers = tasks.join_all().await;
        let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_some()).count();
        assert!(answers.iter().all(|answer| answer.status == 201 && answer.text() == "1"), "{answers:?}");
        assert_eq!(replayed, 15);
        assert_eq!(shop.items().await, 1);
    }

    async fn work_of_several_steps_is_in_flight_until_it_ends(db: TestDatabase) {
        let shop = fixture(&db).await;
        let app = shop.app.clone();
        let first = tokio::spawn(async move {
            send(&app, request(Method::POST, "/steps", &[("idempotency-key", "k1")], "")).await
        });
        shop.shop.begun.notified().await;
        let meanwhile = shop.post("/steps", Some("k1"), "").await;
        assert_eq!(meanwhile.code(), code(409, "idempotency.in_flight"));
        assert_eq!(meanwhile.header("retry-after"), Some("1"));
        shop.shop.go_on.notify_one();
        let first = first.await.unwrap();
        let again = shop.post("/steps", Some("k1"), "").await;
        assert_eq!((first.text(), again.text()), ("\"done\"", "\"done\""));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(shop.items().await, 1);
    }

    async fn work_that_was_given_up_may_be_tried_again(db: TestDatabase) {
        let shop = fixture(&db).await;
        for _ in 0..2 {
            assert_eq!(shop.post("/failing", Some("k1"), "").await.code(), code(503, "service.unavailable"));
        }
    }
}
