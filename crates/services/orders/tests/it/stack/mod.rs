//! The service on a database of its own, with a catalog, a payment service and customers that keep
//! books, tell what they hold, and fail when they are told to.

#![allow(dead_code, unused_imports)] // Each of the two test programs uses its own part of it.

mod catalog;
mod customers;
mod faults;
mod http;
mod payments;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contracts::{Channel, Envelope, Event};
use database::Database;
use host::{Channels, Platform};
use kernel::{Clock, EventId, Rng};
use testkit::TestDatabase;
use testkit::database::Engine;
use vault::{Vault, VaultConfig};

use super::{Config, Service};

pub(crate) use catalog::{Catalog, Shelf};
pub(crate) use customers::Customers;
pub(crate) use faults::{Fault, Faults};
pub(crate) use http::{Answer, Call, customer, staff};
pub(crate) use payments::{Held, Payments};

/// Everything around the service, which outlives it.
pub(crate) struct Stack {
    pub(crate) database: TestDatabase,
    pub(crate) catalog: Catalog,
    pub(crate) payments: Payments,
    pub(crate) customers: Customers,
    pub(crate) faults: Arc<Faults>,
    pub(crate) vault: Vault,
    keys: TestDatabase,
}

impl Stack {
    pub(crate) async fn new() -> Self {
        Self::on(Engine::Sqlite).await
    }

    pub(crate) async fn on(engine: Engine) -> Self {
        Self::with(TestDatabase::named(engine, "orders").await).await
    }

    pub(crate) async fn with(database: TestDatabase) -> Self {
        let keys = TestDatabase::named(Engine::Sqlite, "vault").await;
        let faults = Arc::new(Faults::default());
        // Every vault call asks at once who was erased, because this clock stands still.
        let vault = Vault::open(
            &VaultConfig::default(),
            (*keys).clone(),
            keys.folder(),
            database.clock().clone(),
            Rng::system(),
        )
        .await
        .unwrap();
        let clock = database.clock().clone();
        Self {
            catalog: Catalog::new(clock.clone(), faults.clone()),
            payments: Payments::new(faults.clone()),
            customers: Customers::default(),
            faults,
            vault,
            keys,
            database,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.database.clock()
    }

    pub(crate) fn mails(&self) -> PathBuf {
        self.database.folder().join("mail")
    }

    pub(crate) fn channels(&self) -> Channels {
        let open = |name| -> Result<Channel, std::convert::Infallible> {
            Ok(match name {
                "catalog" => self.catalog.channel(),
                "payments" => self.payments.channel(),
                "customers" => self.customers.channel(),
                _ => nobody(name),
            })
        };
        Channels::open(open).unwrap()
    }

    fn platform(&self, database: Database) -> Platform {
        let clock = self.clock().clone();
        let from = mail::Sender { name: "Souk".to_owned(), address: "shop@souk.example".parse().unwrap() };
        Platform {
            clock: clock.clone(),
            rng: Rng::system(),
            database,
            cache: cache::Cache::memory(cache::MemoryConfig::default(), clock.clone()),
            objects: objects::Objects::folder(self.database.folder().join("objects")).unwrap(),
            mailer: mail::Mailer::folder(self.mails(), from, clock, Rng::system()),
            vault: self.vault.clone(),
            channels: self.channels(),
            public_url: "https://shop.example".to_owned(),
        }
    }

    /// The service as a process would start it on what there is.
    pub(crate) async fn service(&self) -> Service {
        self.service_with(Config::default()).await
    }

    pub(crate) async fn service_with(&self, config: Config) -> Service {
        Service::new(&self.platform((*self.database).clone()), config).await.unwrap()
    }

    /// The service as another process would start it, on the same data.
    pub(crate) async fn another_process(&self) -> Service {
        Service::new(&self.platform(self.database.reopen().await), Config::default()).await.unwrap()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock().advance(Duration::from_secs(seconds));
    }

    /// Delivers `event` to the service as the bus would.
    pub(crate) async fn deliver<E: Event>(&self, service: &Service, event: &E) {
        let id = EventId::new(self.clock().now(), &Rng::system());
        let source = E::TYPE.split('.').next().unwrap();
        let envelope = Envelope::new(id, source, self.clock().now(), event).unwrap();
        self.deliver_envelope(service, &envelope).await;
    }

    /// Delivers an event, once however often it is asked for: the inbox sees to it.
    pub(crate) async fn deliver_envelope(&self, service: &Service, envelope: &Envelope) {
        for reaction in service.reactions() {
            if !reaction.types().contains(&envelope.kind.as_str()) {
                continue;
            }
            let reaction = &reaction;
            self.database
                .write(|mut tx| async move {
                    if !tx.first_time(reaction.consumer(), envelope.id).await.unwrap() {
                        return tx.rollback(()).await;
                    }
                    reaction.react(&mut tx, envelope).await.unwrap();
                    tx.commit(()).await
                })
                .await
                .unwrap();
        }
    }

    /// Every event that the service has told so far, as type and data.
    pub(crate) async fn told(&self) -> Vec<(String, serde_json::Value)> {
        let entries = self.database.outbox_after(0, 10_000).await.unwrap();
        entries.into_iter().map(|entry| (entry.envelope.kind, entry.envelope.data)).collect()
    }
}

fn nobody(name: &str) -> Channel {
    let name = name.to_owned();
    Channel::new(tower::service_fn(move |_| {
        let service = name.clone();
        async move { Err(contracts::ChannelError::Unreachable { service }) }
    }))
}
