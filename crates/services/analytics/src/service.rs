use std::sync::Arc;

use axum::Router;
use bus::React;
use database::{Database, Migration};
use host::{Platform, StartError, Worker};
use utoipa_axum::router::OpenApiRouter;
use vault::Vault;

use crate::config::Config;
use crate::jobs::keep_short;
use crate::reactions::{Forget, Record};
use crate::routes;
use crate::sources::Sources;

const MIGRATIONS: &[Migration] = &database::migrations!["0001_events", "0002_wide_rows"];

/// Events and what they count for.
pub struct Service {
    state: State,
}

/// What the routes work with.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) sources: Arc<Sources>,
    pub(crate) config: Arc<Config>,
    pub(crate) public_url: Arc<str>,
}

impl Service {
    /// Starts on `platform`, bringing the tables up to date.
    ///
    /// # Errors
    /// When the tables cannot be made.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        let database = platform.database.clone();
        database
            .migrate("analytics", MIGRATIONS)
            .await
            .map_err(StartError::because("its tables cannot be made"))?;
        let state = State {
            database,
            vault: platform.vault.clone(),
            sources: Arc::new(Sources::new(&config.sources)),
            config: Arc::new(config),
            public_url: platform.public_url.as_str().into(),
        };
        Ok(Self { state })
    }

    /// The public routes.
    pub fn router(&self) -> OpenApiRouter {
        routes::table().with_state(self.state.clone())
    }

    /// What others ask: all that is held about somebody.
    pub fn internal(&self) -> Router {
        routes::internal().with_state(self.state.clone())
    }

    /// Deleting what has expired.
    pub fn workers(&self) -> Vec<Worker> {
        let State { database, config, .. } = self.state.clone();
        vec![Worker::new("analytics.trim", move |shutdown| {
            keep_short(database.clone(), config.clone(), shutdown)
        })]
    }

    /// What is done about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(Record), Arc::new(Forget)]
    }
}
