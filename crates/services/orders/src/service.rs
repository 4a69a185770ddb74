use std::sync::Arc;

use bus::React;
use contracts::import::{Mode, Verdict};
use contracts::orders::ImportOrder;
use contracts::{catalog, customers, payments};
use database::WorkOptions;
use host::{Platform, StartError, Worker};
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;
use crate::error::Error;
use crate::jobs::{checkout, mail, upkeep};
use crate::ops::import_orders::import_orders;
use crate::reactions::{ForgetCustomers, HearPayments};
use crate::shop::{Parts, Shop};
use crate::{routes, store};

/// Orders, as the binary sees it.
pub struct Service {
    pub(crate) shop: Shop,
}

impl Service {
    /// Brings the tables up to date and gets ready to serve.
    ///
    /// # Errors
    /// An unusable configuration, a database that cannot be brought up to date, broken mail templates.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        config.validate().map_err(StartError::because("the configuration of orders is not usable"))?;
        platform
            .database
            .migrate("orders", store::MIGRATIONS)
            .await
            .map_err(StartError::because("the tables of orders cannot be brought up to date"))?;
        let templates = platform
            .mailer
            .templates(&mail::TEMPLATES)
            .map_err(StartError::because("the mails of orders cannot be read"))?;
        let shop = Shop::new(Parts {
            database: platform.database.clone(),
            clock: platform.clock.clone(),
            rng: platform.rng.clone(),
            vault: platform.vault.clone(),
            catalog: catalog::Client::new(platform.channels.catalog.clone()),
            payments: payments::Client::new(platform.channels.payments.clone()),
            customers: customers::Client::new(platform.channels.customers.clone()),
            mailer: platform.mailer.clone(),
            templates: Arc::new(templates),
            public_url: platform.public_url.clone(),
            config: Arc::new(config),
        });
        upkeep::schedule(&shop)
            .await
            .map_err(StartError::because("the upkeep of orders cannot be scheduled"))?;
        Ok(Self { shop })
    }

    /// What the world may call, with its documentation.
    pub fn router(&self) -> OpenApiRouter {
        routes::public().with_state(self.shop.clone())
    }

    /// What other services may call.
    pub fn internal(&self) -> axum::Router {
        routes::internal().with_state(self.shop.clone())
    }

    /// What runs in the background.
    pub fn workers(&self) -> Vec<Worker> {
        let Parts { database, config, .. } = &*self.shop;
        let checkouts = WorkOptions {
            concurrency: config.checkout_workers,
            lease: checkout::LEASE,
            ..WorkOptions::default()
        };
        let (a, b, c) = (self.shop.clone(), self.shop.clone(), self.shop.clone());
        vec![
            Worker::due(database, checkout::QUEUE, checkouts, move |item| checkout::resume(a.clone(), item)),
            Worker::due(database, mail::QUEUE, WorkOptions::default(), move |item| {
                mail::send(b.clone(), item)
            }),
            Worker::due(database, upkeep::QUEUE, WorkOptions::default(), move |item| {
                upkeep::run(c.clone(), item)
            }),
        ]
    }

    /// What is done about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(HearPayments), Arc::new(ForgetCustomers)]
    }

    /// Takes over history from elsewhere, each order once however often it is imported. A verdict for
    /// each, in their order; whole batches are taken or not.
    ///
    /// # Errors
    /// What the database says, or catalog cannot be asked.
    pub async fn import_orders(&self, orders: Vec<ImportOrder>, mode: Mode) -> Result<Vec<Verdict>, Error> {
        import_orders(&self.shop, &orders, mode).await
    }
}

/// The description of the public API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::public().split_for_parts().1
}
