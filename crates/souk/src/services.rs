//! The table of services: what there is, and how each is started.

use std::sync::Arc;

use axum::Router;
use bus::React;
use database::Database;
use host::{Platform, StartError, Worker};
use utoipa::openapi::OpenApi;

use crate::config::Config;

/// Every service, in the order in which they start. The gateway has no database and is last.
pub(crate) const NAMES: &[&str] =
    &["identity", "customers", "catalog", "payments", "orders", "analytics", "sync", "feedback", "gateway"];

/// A service that was started, as the rest of the program sees it.
pub(crate) struct Started {
    pub(crate) name: &'static str,
    pub(crate) database: Database,
    pub(crate) public: Router,
    pub(crate) internal: Router,
    pub(crate) workers: Vec<Worker>,
    pub(crate) reactions: Vec<Arc<dyn React>>,
}

/// The services that run in this process, for commands that speak to one directly.
#[derive(Clone, Default)]
pub(crate) struct Services {
    pub(crate) identity: Option<Arc<identity::Service>>,
    pub(crate) customers: Option<Arc<customers::Service>>,
    pub(crate) catalog: Option<Arc<catalog::Service>>,
    pub(crate) orders: Option<Arc<orders::Service>>,
}

/// Starts one service and takes it apart into what the program needs of it.
macro_rules! start {
    ($module:ident, $name:literal, $platform:expr, $config:expr) => {{
        let service = Arc::new($module::Service::new($platform, $config.$module.clone()).await?);
        let (public, _) = service.router().split_for_parts();
        let started = Started {
            name: $name,
            database: $platform.database.clone(),
            public,
            internal: service.internal(),
            workers: service.workers(),
            reactions: service.reactions(),
        };
        (service, started)
    }};
}

/// Starts the service `name`; `None` for the gateway, which is put together from the others.
pub(crate) async fn start(
    name: &str,
    platform: &Platform,
    config: &Config,
    services: &mut Services,
) -> Result<Option<Started>, StartError> {
    let started = match name {
        "identity" => {
            let (service, started) = start!(identity, "identity", platform, config);
            services.identity = Some(service);
            started
        }
        "customers" => {
            let (service, started) = start!(customers, "customers", platform, config);
            services.customers = Some(service);
            started
        }
        "catalog" => {
            let (service, started) = start!(catalog, "catalog", platform, config);
            services.catalog = Some(service);
            started
        }
        "orders" => {
            let (service, started) = start!(orders, "orders", platform, config);
            services.orders = Some(service);
            started
        }
        "payments" => start!(payments, "payments", platform, config).1,
        "analytics" => start!(analytics, "analytics", platform, config).1,
        "sync" => start!(sync, "sync", platform, config).1,
        "feedback" => start!(feedback, "feedback", platform, config).1,
        _ => return Ok(None),
    };
    Ok(Some(started))
}

/// The API document of all services. It needs none of them to run.
///
/// # Errors
/// When two services mean different things by one name.
pub(crate) fn document(server: &str) -> Result<OpenApi, web::openapi::Contradiction> {
    let description = web::openapi::Description {
        title: "Souk".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        text: "Identity, customers, catalogue, orders, payments, analytics, live updates and \
                      feedback of one shop."
            .to_owned(),
        server: server.to_owned(),
    };
    web::openapi::assemble(
        &description,
        [
            identity::openapi(),
            customers::openapi(),
            catalog::openapi(),
            orders::openapi(),
            payments::openapi(),
            analytics::openapi(),
            sync::openapi(),
            feedback::openapi(),
        ],
    )
}

/// Checks each service's own section.
pub(crate) fn validate(config: &Config) -> anyhow::Result<()> {
    config.identity.validate()?;
    config.customers.validate()?;
    config.catalog.validate()?;
    config.orders.validate()?;
    config.payments.validate()?;
    config.analytics.validate()?;
    config.sync.validate()?;
    config.feedback.validate()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_knows_whose_every_path_is() {
        let document = serde_json::to_value(document("/").unwrap()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() > 50);
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let tag = operation["tags"][0].as_str();
                assert_eq!(gateway::service_of(path), tag, "{method} {path}");
                assert!(operation["security"].is_array(), "{method} {path} does not say who may call it");
                assert!(
                    operation["operationId"].is_string() && operation["summary"].is_string(),
                    "{method} {path}"
                );
            }
        }
    }
}
