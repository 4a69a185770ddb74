use std::sync::Arc;

use bus::React;
use contracts::Envelope;
use contracts::orders::{OrderPlaced, Totals};
use feedback::{Config, Service};
use kernel::{Currency, CustomerId, EventId, Money, OrderId, Uuid};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::{Answer, Client, TestPlatform};
use web::Role;

/// The service on a platform of its own.
pub(crate) struct World {
    pub(crate) platform: TestPlatform,
    pub(crate) service: Service,
    /// Somebody unknown.
    pub(crate) client: Client,
    reactions: Vec<Arc<dyn React>>,
}

/// Runs one test body on both engines.
pub(crate) fn everywhere(body: impl AsyncFn(&World)) {
    everywhere_with(&Config::default(), body);
}

/// Runs one test body on both engines with a configuration of its own.
pub(crate) fn everywhere_with(config: &Config, body: impl AsyncFn(&World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let platform = TestPlatform::new(engine, "feedback").await;
            let service = Service::new(&platform, config.clone()).await.unwrap();
            let (router, _) = service.router().merge(service.internal().into()).split_for_parts();
            let (client, reactions) = (Client::new(router), service.reactions());
            body(&World { platform, service, client, reactions }).await;
        });
    }
}

impl World {
    /// Hands `event` to every reaction that wants it, as the bus does.
    pub(crate) async fn tell<E: contracts::Event>(&self, event: &E) {
        let now = self.platform.clock.now();
        let id = EventId::new(now, &self.platform.rng);
        let envelope = &Envelope::new(id, "elsewhere", now, event).unwrap();
        for reaction in self.reactions.iter().filter(|reaction| reaction.types().contains(&E::TYPE)) {
            self.platform
                .database
                .write::<(), database::Error, _, _>(|mut tx| async move {
                    reaction.react(&mut tx, envelope).await.unwrap();
                    tx.commit(()).await
                })
                .await
                .unwrap();
        }
    }

    /// An order of a customer, placed now.
    pub(crate) fn order(&self, customer: Option<CustomerId>, order: u128) -> OrderPlaced {
        let nothing = Money::new(0, Currency::EUR);
        OrderPlaced {
            order_id: order_id(order),
            number: format!("S-{order}"),
            customer_id: customer,
            payment_id: None,
            placed_at: self.platform.clock.now(),
            lines: Vec::new(),
            totals: Totals {
                subtotal: nothing,
                discount: nothing,
                shipping: nothing,
                tax: nothing,
                total: nothing,
            },
            imported: false,
            came_to_nothing: false,
        }
    }

    /// A customer who has placed `orders`, and their client.
    pub(crate) async fn buyer(&self, number: u128, orders: &[u128]) -> (CustomerId, Client) {
        let id = CustomerId::from_uuid(Uuid::from_u128(number));
        for order in orders {
            self.tell(&self.order(Some(id), *order)).await;
        }
        (id, self.client.customer(id, self.platform.clock.now()))
    }

    /// Staff who may do everything with polls.
    pub(crate) fn support(&self) -> Client {
        self.client.staff(&[Role::Support])
    }

    /// The id of the poll that every shop begins with.
    pub(crate) async fn poll(&self) -> String {
        let polls = self.support().get("/v1/admin/polls").await.expect(200);
        polls.body["data"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Answers the first poll for an order.
    pub(crate) async fn answer(&self, client: &Client, order: u128, answers: Value) -> Answer {
        let path = format!("/v1/polls/{}/answers", self.poll().await);
        client.post(&path, json!({"order_id": order_id(order), "answers": answers})).await
    }

    /// What was published, as type and data.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let entries = self.platform.database.outbox_after(0, 1_000).await.unwrap();
        entries.into_iter().map(|entry| (entry.envelope.kind, entry.envelope.data)).collect()
    }
}

pub(crate) fn order_id(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

/// An answer to every question of the first poll.
pub(crate) fn everything() -> Value {
    json!([
        {"question_id": "satisfaction", "value": 4},
        {"question_id": "recommend", "value": 9},
        {"question_id": "discovery", "value": "friend"},
        {"question_id": "comment", "value": "The box smelled of cedar."},
    ])
}

/// An answer to what must be answered.
pub(crate) fn rating(stars: i64) -> Value {
    json!([{"question_id": "satisfaction", "value": stars}])
}

/// What was wrong where.
pub(crate) fn complaints(answer: &Answer) -> Vec<String> {
    let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
    let errors = answer.body["errors"].as_array().unwrap();
    errors.iter().map(|error| format!("{} {}", text(error, "pointer"), text(error, "code"))).collect()
}
