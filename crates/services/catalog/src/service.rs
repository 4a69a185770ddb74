use std::sync::Arc;
use std::time::Duration;

use bus::React;
use cache::Cache;
use contracts::catalog::ImportProduct;
use contracts::import::{Mode, Verdict};
use database::Database;
use host::{Platform, StartError, Worker};
use objects::Objects;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ops::import_products::import_products;
use crate::ops::list_facets::forget_facets;
use crate::store::{self, Bodies};
use crate::{Config, Error, jobs, routes};

/// The document of the public routes; it needs no running service.
pub fn openapi() -> OpenApi {
    routes::public().into_openapi()
}

/// The catalogue. Clones are the same one.
#[derive(Clone)]
pub struct Service {
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) objects: Objects,
    pub(crate) bodies: Bodies,
    pub(crate) config: Arc<Config>,
}

impl Service {
    /// Opens the catalogue on its database, whose tables are made or brought up to date.
    ///
    /// # Errors
    /// When the configuration cannot be used or the tables cannot be made.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        let unusable = "its configuration cannot be used";
        config.validate().map_err(StartError::because(unusable))?;
        let database = platform.database.clone();
        let tables = "its tables could not be made";
        database.migrate("ledger", ledger::MIGRATIONS).await.map_err(StartError::because(tables))?;
        database.migrate("catalog", store::MIGRATIONS).await.map_err(StartError::because(tables))?;
        store::INDEX.create(&database).await.map_err(StartError::because(tables))?;
        Ok(Self {
            database,
            cache: platform.cache.clone(),
            objects: platform.objects.clone(),
            bodies: Bodies::new(config.product_cache),
            config: Arc::new(config),
        })
    }

    /// The routes for everybody, with their document.
    pub fn router(&self) -> OpenApiRouter {
        routes::public().with_state(self.clone())
    }

    /// The routes for other services, below `/internal/catalog`.
    pub fn internal(&self) -> axum::Router {
        routes::internal().with_state(self.clone())
    }

    /// What runs in the background.
    pub fn workers(&self) -> Vec<Worker> {
        let interval = Duration::from_millis(self.config.expiry_interval_ms);
        vec![jobs::expire_reservations::worker(&self.database, interval)]
    }

    /// What is done about the events of others: nothing.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        Vec::new()
    }

    /// Takes products over and says of each what became of it, in their order; the same twice changes
    /// nothing. With [`Mode::DryRun`] nothing is kept, and each batch is judged as if it were the only one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn import_products(
        &self,
        products: Vec<ImportProduct>,
        mode: Mode,
    ) -> Result<Vec<Verdict>, Error> {
        let verdicts = import_products(&self.database, &products, mode).await?;
        if mode == Mode::Apply {
            forget_facets(&self.cache).await;
        }
        Ok(verdicts)
    }

    pub(crate) fn facets_ttl(&self) -> Duration {
        Duration::from_secs(self.config.facets_ttl_s)
    }
}
