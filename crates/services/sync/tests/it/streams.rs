use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bus::React;
use contracts::Envelope;
use contracts::catalog::StockChanged;
use contracts::customers::CustomerErased;
use contracts::identity::SessionEnded;
use contracts::orders::OrderChanged;
use host::{Shutdown, Worker};
use kernel::{CustomerId, EventId, OrderId, ProductId, SessionId, Timestamp, Uuid, VariantId};
use sync::{Config, Service};
use testkit::database::Engine;
use testkit::{Client, TestPlatform};
use tokio::task::JoinSet;
use web::{Caller, Customer};

use crate::listener::Listener;

struct World {
    platform: TestPlatform,
    router: Router,
    reactions: Vec<Arc<dyn React>>,
    shutdown: Shutdown,
    workers: JoinSet<()>,
}

impl World {
    async fn new(engine: Engine, config: Config) -> Self {
        let platform = TestPlatform::new(engine, "sync").await;
        let service = Service::new(&platform, config).await.unwrap();
        let (router, _) = service.router().split_for_parts();
        let (shutdown, mut workers) = (Shutdown::new(), JoinSet::new());
        for worker in service.workers() {
            workers.spawn(Worker::run(&worker, shutdown.clone()));
        }
        Self { platform, router, reactions: service.reactions(), shutdown, workers }
    }

    async fn stop(mut self) {
        self.shutdown.set();
        while self.workers.join_next().await.is_some() {}
    }

    /// Hands `event` to every reaction that wants it, as the bus does.
    async fn tell<E: contracts::Event>(&self, event: &E) {
        let id = EventId::new(self.platform.clock.now(), &self.platform.rng);
        let envelope = Envelope::new(id, "elsewhere", self.platform.clock.now(), event).unwrap();
        let envelope = &envelope;
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

    async fn order(&self, customer: CustomerId, version: i64) {
        self.tell(&OrderChanged {
            order_id: OrderId::from_uuid(Uuid::from_u128(1)),
            number: "S-1".into(),
            customer_id: Some(customer),
            version,
            status: "placed".into(),
            payment_status: "captured".into(),
            fulfilment_status: "unfulfilled".into(),
        })
        .await;
    }

    async fn stock(&self, available: i64) {
        let (variant_id, product_id) =
            (VariantId::from_uuid(Uuid::from_u128(1)), ProductId::from_uuid(Uuid::from_u128(1)));
        self.tell(&StockChanged { variant_id, product_id, available }).await;
    }

    async fn listen(&self, caller: &Caller, topics: &str, last: Option<&str>) -> Listener {
        Listener::open(&self.router, caller.clone(), topics, last).await
    }
}

fn customer(number: u128) -> (CustomerId, Caller) {
    let id = CustomerId::from_uuid(Uuid::from_u128(number));
    let session = SessionId::from_uuid(Uuid::from_u128(number));
    (id, Caller::Customer(Customer { id, session, authenticated_at: Timestamp::EPOCH }))
}

/// Runs one test body on both engines.
fn everywhere(config: Config, body: impl AsyncFn(&World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(engine, config.clone()).await;
            body(&world).await;
            world.stop().await;
        });
    }
}

#[test]
fn customers_hear_of_their_own_orders_and_everybody_of_stock() {
    everywhere(Config::default(), async |world| {
        let ((ada, as_ada), (bob, as_bob)) = (customer(1), customer(2));
        let mut hers = world.listen(&as_ada, "orders,inventory", None).await;
        let mut his = world.listen(&as_bob, "orders", None).await;
        let mut anybodys = world.listen(&Caller::Anonymous, "inventory", None).await;
        assert_eq!(hers.kinds(1).await, ["ready"]);
        assert_eq!(his.kinds(1).await, ["ready"]);
        assert_eq!(anybodys.kinds(1).await, ["ready"]);

        world.order(ada, 1).await;
        world.stock(7).await;
        world.order(bob, 2).await;
        world.order(ada, 3).await;

        assert_eq!(hers.kinds(3).await, ["order.changed", "stock.changed", "order.changed"]);
        let event = his.next().await.unwrap();
        assert_eq!((event.kind.as_str(), event.data["version"].as_i64()), ("order.changed", Some(2)));
        assert_eq!(anybodys.next().await.unwrap().data["available"], 7);
    });
}

#[test]
fn who_comes_back_hears_the_rest_once() {
    everywhere(Config::default(), async |world| {
        let (ada, as_ada) = customer(1);
        let mut first = world.listen(&as_ada, "orders", None).await;
        let ready = first.next().await.unwrap();
        for version in 1..=3 {
            world.order(ada, version).await;
        }
        let one = first.next().await.unwrap();
        drop(first);
        world.order(ada, 4).await;

        let mut again = world.listen(&as_ada, "orders", Some(&one.id)).await;
        let versions = async |listener: &mut Listener, count: usize| {
            let mut versions = Vec::new();
            for _ in 0..count {
                versions.push(listener.next().await.unwrap().data["version"].as_i64().unwrap());
            }
            versions
        };
        assert_eq!(versions(&mut again, 3).await, [2, 3, 4]);
        world.order(ada, 5).await;
        assert_eq!(versions(&mut again, 1).await, [5]);
        let mut whole = world.listen(&as_ada, "orders", Some(&ready.id)).await;
        assert_eq!(versions(&mut whole, 5).await, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_gap_that_is_gone_is_told() {
    everywhere(Config { keep_s: 60, ..Config::default() }, async |world| {
        let (ada, as_ada) = customer(1);
        let ready = world.listen(&as_ada, "orders", None).await.next().await.unwrap();
        world.order(ada, 1).await;
        world.platform.clock.advance(Duration::from_secs(120));
        // What is old goes when the service starts, and every minute after that.
        let again = Service::new(&world.platform, Config { keep_s: 60, ..Config::default() }).await.unwrap();
        let (shutdown, trim) = (Shutdown::new(), again.workers().pop().unwrap());
        let trimming = tokio::spawn(trim.run(shutdown.clone()));
        loop {
            let mut listener = world.listen(&as_ada, "orders", Some(&ready.id)).await;
            let event = listener.next().await.unwrap();
            if event.kind == "reset" {
                assert_eq!(event.data["snapshots"]["orders"], "/v1/orders");
                break;
            }
            assert_eq!(event.kind, "order.changed");
        }
        shutdown.set();
        trimming.await.unwrap();
        for unknown in ["other:1", "nonsense", "", &format!("{}9", ready.id)] {
            let event = world.listen(&as_ada, "orders", Some(unknown)).await.next().await.unwrap();
            assert_eq!(event.kind, "reset", "{unknown}");
        }
    });
}

#[test]
fn a_slow_listener_misses_nothing() {
    everywhere(Config { listener_buffer: 2, ..Config::default() }, async |world| {
        let mut listener = world.listen(&Caller::Anonymous, "inventory", None).await;
        listener.next().await.unwrap();
        for available in 0..100 {
            world.stock(available).await;
        }
        for available in 0..100 {
            assert_eq!(listener.next().await.unwrap().data["available"], available);
        }
    });
}

#[test]
fn a_stream_ends_with_its_session() {
    everywhere(Config::default(), async |world| {
        let ((ada, as_ada), (bob, as_bob)) = (customer(1), customer(2));
        let mut hers = world.listen(&as_ada, "orders", None).await;
        let mut his = world.listen(&as_bob, "orders", None).await;
        hers.next().await.unwrap();
        his.next().await.unwrap();
        let session_id = as_ada.session().unwrap();
        world.tell(&SessionEnded { customer_id: ada, session_id, reason: "signed_out".into() }).await;
        assert_eq!(hers.next().await, None);
        world.order(bob, 1).await;
        assert_eq!(his.kinds(1).await, ["order.changed"]);
    });
}

#[test]
fn the_erased_are_forgotten() {
    everywhere(Config::default(), async |world| {
        let (ada, as_ada) = customer(1);
        let ready = world.listen(&as_ada, "orders", None).await.next().await.unwrap();
        world.order(ada, 1).await;
        world.tell(&CustomerErased { customer_id: ada }).await;
        world.order(ada, 2).await;
        let event = world.listen(&as_ada, "orders", Some(&ready.id)).await.next().await.unwrap();
        assert_eq!(event.data["version"], 2);
    });
}

#[test]
fn refusals_come_before_the_stream_and_a_full_house_is_no_error() {
    everywhere(Config { max_listeners: 1, ..Config::default() }, async |world| {
        let client = Client::new(world.router.clone());
        assert_eq!(client.get("/v1/stream?topics=orders").await.expect(401).code(), "auth.missing");
        assert_eq!(client.get("/v1/stream?topics=weather").await.expect(400).code(), "sync.unknown_topic");
        assert_eq!(client.get("/v1/stream").await.expect(400).code(), "request.validation");
        let staff = client.staff(&[web::Role::Administrator]);
        assert_eq!(staff.get("/v1/stream?topics=orders").await.expect(403).code(), "auth.forbidden");

        let _only = world.listen(&Caller::Anonymous, "inventory", None).await;
        let full = client.get("/v1/stream?topics=inventory").await.expect(200);
        assert_eq!(full.header("content-type"), "text/event-stream");
        assert!(full.bytes.starts_with(b"retry:"), "{:?}", full.bytes);
    });
}

#[test]
fn every_column_is_declared() {
    everywhere(Config::default(), async |world| {
        let live = world.platform.database.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(sync::COLUMNS, &live), Vec::<String>::new());
    });
}
