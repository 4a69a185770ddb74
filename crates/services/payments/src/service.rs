//! All that the binary may touch.

use std::sync::Arc;

use axum::Router;
use bus::React;
use contracts::Channel;
use host::{Platform, StartError, Worker};
use kernel::Secret;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;
use crate::connectors::sandbox::Sandbox as SandboxConnector;
use crate::connectors::{Connector, Connectors};
use crate::model::return_url::ReturnOrigins;
use crate::ops::Payments;
use crate::reactions::EraseCustomer;
use crate::sandbox::{self, Pages, Sandbox};
use crate::{jobs, routes, store};

/// How the sandbox is called by its merchant and by us.
const SANDBOX: &str = "sandbox";
/// How we are called by the sandbox.
const PAYMENTS: &str = "payments";

/// What lies between the shop and its sandbox.
type Wire = Arc<dyn Fn(&'static str, &'static str, Channel) -> Channel + Send + Sync>;

/// Payments, ready to be wired.
pub struct Service {
    payments: Payments,
    config: Config,
    sandbox: Option<Sandbox>,
    wire: Wire,
}

/// The part of the API document that is about payments and the sandbox. Needs nothing to run.
pub fn openapi() -> OpenApi {
    let mut document = routes::public().into_openapi();
    document.merge(Pages::router().into_openapi());
    document
}

impl Service {
    /// Brings the tables up to date and sets up the providers.
    ///
    /// # Errors
    /// When the configuration cannot be meant or the tables cannot be made.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        Self::over(platform, config, |_, _, channel| channel).await
    }

    /// As [`Self::new`], with `wire` laid over the channels between the shop and its sandbox, given who
    /// calls whom. A simulation loses and delays there what a network does.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn over(
        platform: &Platform,
        config: Config,
        wire: impl Fn(&'static str, &'static str, Channel) -> Channel + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        config.validate().map_err(StartError::because("payments is not configured soundly"))?;
        let database = platform.database.clone();
        database.migrate("payments", store::MIGRATIONS).await.map_err(StartError::because("no tables"))?;
        database.migrate("ledger", ledger::MIGRATIONS).await.map_err(StartError::because("no ledger"))?;
        let sandbox = config.sandbox.enabled.then(|| {
            let secret = Secret::new(platform.vault.derive("payments.sandbox.webhooks").expose().to_vec());
            if platform.public_url.starts_with("https:") {
                tracing::warn!("payments.sandbox is enabled: whoever knows its tokens buys for nothing");
            }
            let (config, url) = (config.sandbox.clone(), platform.public_url.clone());
            (Sandbox::new(database.clone(), config, url, secret.clone()), secret)
        });
        let connectors = sandbox.iter().map(|(sandbox, secret)| {
            let provider = web::channel::local(PAYMENTS, SANDBOX, sandbox::provider(sandbox.clone()));
            let channel = wire(PAYMENTS, SANDBOX, provider);
            let timeout = config.sandbox.timeout();
            Arc::new(SandboxConnector::new(channel, timeout, vec![secret.clone()])) as Arc<dyn Connector>
        });
        let payments = Payments {
            connectors: Connectors::new(connectors),
            origins: Arc::new(ReturnOrigins::new(&platform.public_url, &config.return_origins)),
            database,
        };
        jobs::upkeep::schedule(&payments)
            .await
            .map_err(StartError::because("the upkeep of payments cannot be scheduled"))?;
        let sandbox = sandbox.map(|(sandbox, _)| sandbox);
        Ok(Self { payments, config, sandbox, wire: Arc::new(wire) })
    }

    /// What anybody may reach.
    pub fn router(&self) -> OpenApiRouter {
        let router = routes::public().with_state(self.payments.clone());
        match &self.sandbox {
            Some(sandbox) => {
                let pages = Pages::new(sandbox.clone(), Arc::clone(&self.payments.origins));
                router.merge(Pages::router().with_state(pages))
            }
            None => router,
        }
    }

    /// What the other services reach.
    pub fn internal(&self) -> Router {
        routes::internal(self.payments.clone())
    }

    /// What it does by itself.
    pub fn workers(&self) -> Vec<Worker> {
        let mut workers = jobs::workers(&self.payments, &self.config);
        if let Some(sandbox) = &self.sandbox {
            let (public, _) = self.router().split_for_parts();
            let merchant = web::channel::local(SANDBOX, PAYMENTS, public);
            workers.extend(sandbox.workers(&(self.wire)(SANDBOX, PAYMENTS, merchant)));
        }
        workers
    }

    /// What it does about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(EraseCustomer)]
    }
}
