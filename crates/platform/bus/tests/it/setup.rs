use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusConfig, DeliveryConfig, NatsConfig, Subscription};
use contracts::identity::SessionEnded;
use database::{Database, DatabaseConfig, params};
use kernel::CustomerId;
use testkit::database::{Engine, TestDatabase};
use testkit::engines::{Nats, Postgres};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::reactions::{EFFECTS, Noting};

/// One service that writes, one that reacts, and a bus between them.
pub struct World {
    pub source: TestDatabase,
    pub target: TestDatabase,
    pub config: BusConfig,
    running: Vec<(CancellationToken, JoinHandle<()>)>,
}

pub fn delivery() -> DeliveryConfig {
    DeliveryConfig {
        batch: 8,
        reaction_timeout_ms: 2_000,
        max_attempts: 4,
        first_backoff_ms: 5,
        max_backoff_ms: 20,
        poll_ms: 50,
        keep_hours: 0,
    }
}

pub fn over_nats(nats: &Nats, prefix: &str) -> BusConfig {
    over_nats_at(nats.url(), prefix)
}

pub fn over_nats_at(url: String, prefix: &str) -> BusConfig {
    let nats = NatsConfig {
        url: url.into(),
        prefix: prefix.to_owned(),
        replicas: 1,
        keep_days: 1,
        timeout_ms: 2_000,
    };
    BusConfig::Nats { nats, delivery: delivery() }
}

impl World {
    pub async fn new(engine: Engine, config: BusConfig) -> Self {
        let source = TestDatabase::named(engine, "identity").await;
        Self::of(source, TestDatabase::named(engine, "orders").await, config).await
    }

    /// Both services on one PostgreSQL server of the test's own.
    pub async fn on_server(postgres: &Postgres, config: BusConfig) -> Self {
        let database = DatabaseConfig::postgres(postgres.create_database("shop").await);
        let source = TestDatabase::with(database.clone(), "identity").await;
        Self::of(source, TestDatabase::with(database, "orders").await, config).await
    }

    async fn of(source: TestDatabase, target: TestDatabase, config: BusConfig) -> Self {
        target.migrate("effects", EFFECTS).await.unwrap();
        Self { source, target, config, running: Vec::new() }
    }

    /// Starts another copy of the process that carries and reacts.
    pub async fn start(&mut self, reactions: &[Arc<Noting>]) {
        let bus = Bus::open(&self.config).await.unwrap();
        let subscriptions = reactions
            .iter()
            .map(|reaction| Subscription {
                database: Database::clone(&self.target),
                reaction: reaction.clone(),
            })
            .collect();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn({
            let (sources, shutdown) = (vec![Database::clone(&self.source)], shutdown.clone());
            async move { bus.run(sources, subscriptions, shutdown).await.unwrap() }
        });
        self.running.push((shutdown, task));
    }

    pub async fn stop(&mut self) {
        for (shutdown, task) in self.running.drain(..) {
            shutdown.cancel();
            task.await.unwrap();
        }
    }

    /// Stops without a word, as a killed process would, and waits until its leases have run out.
    pub fn kill(&mut self) {
        for (_, task) in self.running.drain(..) {
            task.abort();
        }
        self.pass(Duration::from_secs(60));
    }

    fn pass(&self, time: Duration) {
        self.source.clock().advance(time);
        self.target.clock().advance(time);
    }

    pub async fn emit(&self, customer: u128, label: &str) {
        let customer_id = CustomerId::from_uuid(uuid(customer));
        let session_id = kernel::SessionId::from_uuid(uuid(1));
        let event = &SessionEnded { customer_id, session_id, reason: label.to_owned() };
        self.source
            .write::<(), database::Error, _, _>(|mut tx| async move {
                tx.emit(event).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
    }

    /// The labels that `consumer` noted for `customer`, in order.
    pub async fn noted(&self, consumer: &str, customer: u128) -> Vec<String> {
        let key = CustomerId::from_uuid(uuid(customer)).to_string();
        let mut reader = self.target.read_primary().await.unwrap();
        let rows: Vec<(String,)> = reader
            .fetch_all(
                "SELECT label FROM effects WHERE consumer = $1 AND event_key = $2 ORDER BY sequence",
                &params![consumer, key],
            )
            .await
            .unwrap();
        rows.into_iter().map(|(label,)| label).collect()
    }

    /// Waits until `consumer` noted exactly `labels` for `customer`.
    pub async fn expect(&self, consumer: &str, customer: u128, labels: &[&str]) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let noted = self.noted(consumer, customer).await;
            if noted == labels {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{consumer} noted {noted:?} for {customer}, not {labels:?}"
            );
            // Pauses between tries are told by the clock of the test, which has to be moved.
            self.pass(Duration::from_millis(10));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}
