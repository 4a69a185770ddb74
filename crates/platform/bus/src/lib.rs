#![doc = include_str!("../README.md")]

mod config;
mod consumer;
mod error;
mod hold;
mod log;
mod parked;
mod react;
mod relay;
mod store;
mod trim;

use std::collections::HashMap;
use std::sync::Arc;

use database::{Database, Migration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use config::{BusConfig, DeliveryConfig, NatsConfig};
pub use error::BusError;
pub use parked::{DeadLetter, dead_letters, replay};
pub use react::{React, ReactError};

use consumer::Consumer;
use log::Log;

/// The tables that a service which reacts to events carries in its own database.
pub const MIGRATIONS: &[Migration] = &database::migrations!["0001_consumers"];

/// The way from outboxes to reactions.
#[derive(Clone)]
pub struct Bus {
    transport: Transport,
    delivery: DeliveryConfig,
}

#[derive(Clone)]
enum Transport {
    Embedded,
    Nats(Box<log::nats::Nats>),
}

/// A reaction and the database of the service that reacts.
#[derive(Clone)]
pub struct Subscription {
    /// Where the effect, the inbox and the position are kept.
    pub database: Database,
    /// What is done.
    pub reaction: Arc<dyn React>,
}

impl Bus {
    /// The bus that the configuration asks for.
    ///
    /// # Errors
    /// When NATS is asked for and cannot be reached.
    pub async fn open(config: &BusConfig) -> Result<Self, BusError> {
        let (transport, delivery) = match config {
            BusConfig::Embedded { delivery } => (Transport::Embedded, delivery),
            BusConfig::Nats { nats, delivery } => {
                (Transport::Nats(Box::new(log::nats::Nats::connect(nats).await?)), delivery)
            }
        };
        Ok(Self { transport, delivery: delivery.clone() })
    }

    /// Whether events can be carried at this moment.
    ///
    /// # Errors
    /// When NATS is used and not connected.
    pub fn ready(&self) -> Result<(), BusError> {
        match &self.transport {
            Transport::Embedded => Ok(()),
            Transport::Nats(nats) => nats.ready(),
        }
    }

    /// Carries events until `shutdown`: from the outboxes of `sources`, the databases of the
    /// services that run in this process, to `subscriptions`.
    ///
    /// # Errors
    /// When the tables cannot be made, or a subscription names a source that nobody carries.
    pub async fn run(
        &self,
        sources: Vec<Database>,
        subscriptions: Vec<Subscription>,
        shutdown: CancellationToken,
    ) -> Result<(), BusError> {
        // Before any task begins: whoever trims an outbox asks its readers' databases how far they are.
        for database in sources.iter().chain(subscriptions.iter().map(|it| &it.database)) {
            database.migrate("bus", MIGRATIONS).await?;
        }
        let mut tasks = JoinSet::new();
        for source in &sources {
            let readers = self.readers_of(source, &subscriptions);
            tasks.spawn(trim::run(source.clone(), readers, self.delivery.keep(), shutdown.clone()));
            if let Transport::Nats(nats) = &self.transport {
                tasks.spawn(relay::run(source.clone(), (**nats).clone(), shutdown.clone()));
            }
        }
        let by_name: HashMap<&str, Database> =
            sources.iter().map(|source| (source.name(), source.clone())).collect();
        for subscription in subscriptions {
            for source in subscription.sources() {
                let log = match &self.transport {
                    Transport::Embedded => {
                        let database = by_name
                            .get(source.as_str())
                            .ok_or(BusError::UnknownSource { service: source })?;
                        Log::Outbox(log::outbox::OutboxLog::new(database.clone()))
                    }
                    Transport::Nats(nats) => Log::Nats(Box::new(nats.log(&source).await?)),
                };
                let consumer = Consumer::new(subscription.clone(), log, self.delivery.clone());
                tasks.spawn(consumer.run(shutdown.clone()));
            }
        }
        // The tasks end only at shutdown; one that panicked is a fault the supervisor must see.
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| BusError::Stopped { detail: error.to_string() })?;
        }
        Ok(())
    }
}

impl Bus {
    /// Who reads the outbox of `source` itself, and must be past an event before it may go.
    fn readers_of(&self, source: &Database, subscriptions: &[Subscription]) -> Vec<trim::OutboxReader> {
        match &self.transport {
            Transport::Nats(_) => vec![trim::OutboxReader::relay(source)],
            Transport::Embedded => subscriptions
                .iter()
                .filter(|subscription| subscription.sources().iter().any(|name| name == source.name()))
                .map(|subscription| trim::OutboxReader {
                    database: subscription.database.clone(),
                    consumer: subscription.reaction.consumer(),
                })
                .collect(),
        }
    }
}

impl Subscription {
    /// The services whose events the reaction wants, from the first word of each type.
    fn sources(&self) -> Vec<String> {
        let mut sources: Vec<String> = self
            .reaction
            .types()
            .iter()
            .filter_map(|kind| kind.split_once('.').map(|(source, _)| source.to_owned()))
            .collect();
        sources.sort();
        sources.dedup();
        sources
    }
}
