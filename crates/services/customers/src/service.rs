use std::sync::Arc;

use bus::React;
use contracts::customers::ImportCustomer;
use contracts::import::{Mode, Verdict};
use contracts::{analytics, feedback, identity, orders, payments};
use database::WorkOptions;
use host::{Platform, StartError, Worker};
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;
use crate::context::{Context, Parts};
use crate::error::Error;
use crate::ops::{erase, index_email};
use crate::reactions::Welcome;
use crate::{routes, store};

/// The service, as the program sees it.
pub struct Service {
    context: Context,
}

impl Service {
    /// Starts the service on `platform`, bringing its tables up to date.
    ///
    /// # Errors
    /// When the configuration cannot be meant or the tables cannot be made.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        config.validate().map_err(StartError::because("the configuration cannot be used"))?;
        let database = platform.database.clone();
        database
            .migrate("customers", store::MIGRATIONS)
            .await
            .map_err(StartError::because("its tables cannot be made"))?;
        let channels = &platform.channels;
        let context = Context::new(Parts {
            config,
            database,
            vault: platform.vault.clone(),
            identity: identity::Client::new(channels.identity.clone()),
            orders: orders::Client::new(channels.orders.clone()),
            payments: payments::Client::new(channels.payments.clone()),
            analytics: analytics::Client::new(channels.analytics.clone()),
            feedback: feedback::Client::new(channels.feedback.clone()),
            clock: platform.clock.clone(),
            rng: platform.rng.clone(),
        });
        Ok(Self { context })
    }

    /// The public routes with their description.
    pub fn router(&self) -> OpenApiRouter {
        routes::table().with_state(self.context.clone())
    }

    /// The routes for other services.
    pub fn internal(&self) -> axum::Router {
        routes::internal::table().with_state(self.context.clone())
    }

    /// Background work: making mail addresses findable, destroying the keys of the erased.
    pub fn workers(&self) -> Vec<Worker> {
        let database = &self.context.database;
        let (indexing, erasing) = (self.context.clone(), self.context.clone());
        vec![
            Worker::due(database, index_email::QUEUE, WorkOptions::default(), move |item| {
                let context = indexing.clone();
                async move { context.index_email(item).await }
            }),
            Worker::due(database, erase::QUEUE, WorkOptions::default(), move |item| {
                let context = erasing.clone();
                async move { context.destroy_key(item).await }
            }),
        ]
    }

    /// What it does about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(Welcome)]
    }

    /// Takes customers over from elsewhere and says what became of each, in their order. The same
    /// records again change nothing. All of the batch is written or, when it fails, none of it.
    ///
    /// # Errors
    /// When the database or the vault does not answer.
    pub async fn import_customers(
        &self,
        records: Vec<ImportCustomer>,
        mode: Mode,
    ) -> Result<Vec<Verdict>, Error> {
        self.context.import_customers(&records, mode).await
    }
}
