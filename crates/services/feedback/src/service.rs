use std::sync::Arc;

use axum::Router;
use bus::React;
use database::{Database, Isolation};
use host::{Platform, StartError, Worker};
use utoipa_axum::router::OpenApiRouter;
use vault::Vault;

use crate::config::Config;
use crate::model::default_poll;
use crate::reactions::{Forget, NotePurchases};
use crate::{jobs, routes, store};

/// Polls and their answers. Clones are the same one.
#[derive(Clone)]
pub struct Service {
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    config: Config,
}

impl Service {
    /// Starts on `platform`, bringing the tables up to date and making the first poll.
    ///
    /// # Errors
    /// When the configuration cannot be used or the tables cannot be made.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        config.validate().map_err(StartError::because("its configuration cannot be used"))?;
        let database = platform.database.clone();
        database
            .migrate("feedback", store::MIGRATIONS)
            .await
            .map_err(StartError::because("its tables cannot be made"))?;
        if config.default_poll {
            make_default_poll(&database)
                .await
                .map_err(StartError::because("its first poll cannot be made"))?;
        }
        Ok(Self { database, vault: platform.vault.clone(), config })
    }

    /// The public routes.
    pub fn router(&self) -> OpenApiRouter {
        routes::table().with_state(self.clone())
    }

    /// The routes for other services, below `/internal/feedback`.
    pub fn internal(&self) -> Router {
        routes::internal().with_state(self.clone())
    }

    /// Forgetting orders that are not asked about any more.
    pub fn workers(&self) -> Vec<Worker> {
        let database = self.database.clone();
        vec![Worker::new("feedback.trim", move |shutdown| jobs::forget_expired(database.clone(), shutdown))]
    }

    /// What is done about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(NotePurchases { answer_within: self.config.answer_within() }), Arc::new(Forget)]
    }
}

/// Makes the poll that every shop begins with, unless it was made before.
async fn make_default_poll(database: &Database) -> Result<(), database::Error> {
    let poll = &default_poll(database.clock().now());
    // One statement that is right by itself, so that copies that start at once need not run again.
    database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            store::polls::insert(&mut tx, poll).await?;
            tx.commit(()).await
        })
        .await
}
