use std::sync::Arc;

use axum::Router;
use bus::React;
use database::{Database, Migration};
use host::{Platform, StartError, Worker};
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;
use crate::jobs::{Hub, follow, keep_short};
use crate::reactions::{EndSessions, TellOrders, TellStock};
use crate::{routes, store};

const MIGRATIONS: &[Migration] = &database::migrations!["0001_log"];

/// Live changes.
pub struct Service {
    state: State,
}

/// What the routes work with.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) hub: Arc<Hub>,
    pub(crate) config: Arc<Config>,
}

impl Service {
    /// Starts on `platform`, bringing the tables up to date.
    ///
    /// # Errors
    /// When the tables cannot be made or the log cannot be read.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        let database = platform.database.clone();
        database
            .migrate("sync", MIGRATIONS)
            .await
            .map_err(StartError::because("its tables cannot be made"))?;
        let hub = Hub::new(config.listener_buffer, config.max_listeners);
        let newest = async { store::newest(&mut *database.read_primary().await?).await };
        hub.start_at(newest.await.map_err(StartError::because::<database::Error>("its log cannot be read"))?);
        Ok(Self { state: State { database, hub, config: Arc::new(config) } })
    }

    /// The public routes.
    pub fn router(&self) -> OpenApiRouter {
        routes::table().with_state(self.state.clone())
    }

    /// Nothing is asked of this service by others.
    pub fn internal(&self) -> Router {
        Router::new()
    }

    /// Following the log, and keeping it short.
    pub fn workers(&self) -> Vec<Worker> {
        let State { database, hub, config } = self.state.clone();
        let (poll, keep) = (config.poll(), config.keep());
        let trimmed = database.clone();
        vec![
            Worker::new("sync.follow", move |shutdown| follow(database.clone(), hub.clone(), poll, shutdown)),
            Worker::new("sync.trim", move |shutdown| keep_short(trimmed.clone(), keep, shutdown)),
        ]
    }

    /// What is done about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(TellOrders), Arc::new(TellStock), Arc::new(EndSessions(self.state.hub.clone()))]
    }
}
