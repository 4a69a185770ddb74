//! A started service and what its tests ask of it.

use analytics::{Config, Service, Source};
use axum::body::Body;
use contracts::{Envelope, Event};
use database::Database;
use http::Request;
use kernel::{CustomerId, EventId, Secret, Timestamp, Uuid};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::{Answer, Client, TestPlatform};
use web::Role;

pub const WEB: &str = "write-key-of-web";
pub const APP: &str = "write-key-of-app";

pub struct Shop {
    pub platform: TestPlatform,
    pub service: Service,
    pub client: Client,
}

impl Shop {
    pub async fn open(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        let platform = TestPlatform::new(engine, "analytics").await;
        let source =
            |name: &str, key: &str| Source { name: name.to_owned(), write_key: Secret::new(key.to_owned()) };
        let mut config =
            Config { sources: vec![source("web", WEB), source("app", APP)], ..Config::default() };
        change(&mut config);
        config.validate().unwrap();
        let service = Service::new(&platform, config).await.unwrap();
        let (router, _) = service.router().split_for_parts();
        Self { platform, service, client: Client::new(router) }
    }

    pub async fn sqlite() -> Self {
        Self::open(Engine::Sqlite, |_| {}).await
    }

    pub fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    pub fn database(&self) -> &Database {
        &self.platform.database
    }

    /// POSTs `body` as it is with these header fields.
    pub async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.request(request.body(body.into()).unwrap()).await
    }

    /// Sends a batch of the web source; answers with what was refused.
    pub async fn batch(&self, events: Value) -> Value {
        let answer =
            self.client.post("/v1/batch", json!({"writeKey": WEB, "batch": events})).await.expect(200);
        assert_eq!(answer.body["success"], true);
        answer.body["rejected"].clone()
    }

    /// GETs `path` below `/v1/admin/analytics` as an analyst; answers with the page's items.
    pub async fn analyst(&self, path: &str) -> Vec<Value> {
        let path = format!("/v1/admin/analytics{path}");
        let answer = self.client.staff(&[Role::Analyst]).get(&path).await.expect(200);
        answer.body["data"].as_array().unwrap().clone()
    }

    /// How often `event` was counted for `source`, over all days.
    pub async fn counted(&self, source: &str, event: &str) -> i64 {
        let event = event.replace(' ', "%20");
        let rows = self.analyst(&format!("/events/daily?limit=100&source={source}&event={event}")).await;
        rows.iter().map(|row| row["count"].as_i64().unwrap()).sum()
    }

    /// Runs every reaction that wants `event`, as the bus would without its inbox.
    pub async fn react<E: Event>(&self, number: u128, event: &E) {
        let envelope = Envelope::new(event_id(number), "test", self.now(), event).unwrap();
        let envelope = &envelope;
        for reaction in self.service.reactions() {
            if reaction.types().contains(&E::TYPE) {
                let reaction = &reaction;
                self.database()
                    .write(|mut tx| async move {
                        reaction.react(&mut tx, envelope).await.unwrap();
                        tx.commit(()).await
                    })
                    .await
                    .unwrap_or_else(|error: database::Error| panic!("{error}"));
            }
        }
    }
}

pub fn event_id(number: u128) -> EventId {
    EventId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn customer(number: u128) -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + number))
}

/// Runs `test` on a shop of its own on each engine.
pub async fn on_both_engines(test: impl AsyncFn(Shop)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        test(Shop::open(engine, |_| {}).await).await;
    }
}
