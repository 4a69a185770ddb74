//! All that the binary may touch.

use std::sync::Arc;

use axum::Router;
use bus::React;
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

/// Payments, ready to be wired.
pub struct Service {
    payments: Payments,
    config: Config,
    sandbox: Option<Sandbox>,
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
            let channel = web::channel::local(PAYMENTS, SANDBOX, sandbox::provider(sandbox.clone()));
            let timeout = config.sandbox.timeout();
            Arc::new(SandboxConnector::new(channel, timeout, vec![secret.clone()])) as Arc<dyn Connector>
        });
        let payments = Payments {
            connectors: Connectors::new(connectors),
            origins: Arc::new(ReturnOrigins::new(&platform.public_url, &config.return_origins)),
            database,
        };
        Ok(Self { payments, config, sandbox: sandbox.map(|(sandbox, _)| sandbox) })
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
        let mut workers = jobs::workers(&self.payments, &self.config.workers);
        if let Some(sandbox) = &self.sandbox {
            let (public, _) = self.router().split_for_parts();
            workers.extend(sandbox.workers(&web::channel::local(SANDBOX, PAYMENTS, public)));
        }
        workers
    }

    /// What it does about the events of others.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(EraseCustomer)]
    }
}
