//! Which part is handed to which: engines to services, services to each other, all to the gateway.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use bus::{Bus, Subscription};
use cache::Cache;
use contracts::Channel;
use database::Database;
use gateway::{Gateway, Target, Upstream};
use host::{Channels, Platform, Worker};
use kernel::{Clock, Rng};
use objects::{FolderConfig, Objects, ObjectsConfig};
use vault::Vault;
use web::auth::{InternalTokens, Revocations, Verifier, VerifierOptions, internal_layer};
use web::channel::{RemoteOptions, Switchboard};
use web::middleware::{Observer, Standard, bounded, standard};

use crate::config::Config;
use crate::services::{self, NAMES, Services, Started};

/// Everything of one process, put together and not yet running.
pub(crate) struct Shop {
    pub(crate) config: Config,
    pub(crate) services: Services,
    pub(crate) databases: Vec<Database>,
    pub(crate) cache: Cache,
    pub(crate) objects: Objects,
    pub(crate) mailer: mail::Mailer,
    pub(crate) bus: Bus,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) revocations: Revocations,
    pub(crate) identity: contracts::identity::Client,
    pub(crate) router: Router,
}

/// The audience of access tokens.
const AUDIENCE: &str = "souk";

/// The engines that all services of the process share.
struct Engines {
    clock: Clock,
    rng: Rng,
    cache: Cache,
    objects: Objects,
    mailer: mail::Mailer,
    vault: Vault,
    tokens: InternalTokens,
}

impl Shop {
    /// Opens the engines, starts the configured services and joins them. `pages` are shown beside
    /// the API.
    pub(crate) async fn open(config: Config, pages: Router) -> anyhow::Result<Self> {
        config.validate()?;
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("cannot make the folder {}", config.data.display()))?;
        let engines = Engines::open(&config).await?;
        let switchboard = Switchboard::new();
        let mut services = Services::default();
        let mut started = Vec::new();
        for name in NAMES.iter().filter(|name| config.runs(name) && **name != "gateway") {
            let platform = engines.platform(name, &config, &switchboard).await?;
            let service = services::start(name, &platform, &config, &mut services)
                .await
                .with_context(|| format!("the service {name} cannot start"))?;
            started.extend(service);
        }
        for service in &started {
            switchboard.connect(service.name, service.internal.clone());
        }
        let identity = contracts::identity::Client::new(engines.channel(
            "gateway",
            "identity",
            &config,
            &switchboard,
        )?);
        let revocations = Revocations::new(engines.clock.clone());
        let verifier = Verifier::new(
            VerifierOptions::new(config.public_url(), AUDIENCE),
            identity.clone(),
            revocations.clone(),
            engines.clock.clone(),
        );
        let router = engines.router(&config, &started, verifier, pages)?;
        let bus = Bus::open(&config.bus).await.context("the bus cannot be opened")?;
        Ok(Self {
            services,
            databases: started.iter().map(|service| service.database.clone()).collect(),
            subscriptions: subscriptions(&started),
            workers: started.iter().flat_map(|service| service.workers.clone()).collect(),
            cache: engines.cache,
            objects: engines.objects,
            mailer: engines.mailer,
            bus,
            revocations,
            identity,
            router,
            config,
        })
    }
}

fn subscriptions(started: &[Started]) -> Vec<Subscription> {
    started
        .iter()
        .flat_map(|service| {
            service.reactions.iter().map(|reaction| Subscription {
                database: service.database.clone(),
                reaction: Arc::clone(reaction),
            })
        })
        .collect()
}

impl Engines {
    async fn open(config: &Config) -> anyhow::Result<Self> {
        let (clock, rng, data) = (Clock::system(), Rng::system(), config.data.as_path());
        let vault_database = database(config, "vault", &clock, &rng).await?;
        let vault = Vault::open(&config.vault, vault_database, data, clock.clone(), rng.clone())
            .await
            .context("the vault cannot be opened")?;
        let objects = objects(config, data)?;
        Ok(Self {
            cache: Cache::open(&config.cache, clock.clone()).await.context("the cache cannot be opened")?,
            mailer: mail::Mailer::open(&config.mail, data, clock.clone(), rng.clone())
                .context("mail cannot be set up")?,
            tokens: InternalTokens::new(&vault.derive("internal-call"), clock.clone()),
            objects,
            vault,
            clock,
            rng,
        })
    }

    async fn platform(
        &self,
        name: &'static str,
        config: &Config,
        switchboard: &Switchboard,
    ) -> anyhow::Result<Platform> {
        Ok(Platform {
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            database: database(config, name, &self.clock, &self.rng).await?,
            cache: self.cache.clone(),
            objects: self.objects.clone(),
            mailer: self.mailer.clone(),
            vault: self.vault.clone(),
            channels: Channels::open(|to| self.channel(name, to, config, switchboard))?,
            public_url: config.public_url(),
        })
    }

    /// The way from one service to another: its router, or a connection to its process.
    fn channel(
        &self,
        from: &'static str,
        to: &'static str,
        config: &Config,
        switchboard: &Switchboard,
    ) -> anyhow::Result<Channel> {
        if config.runs(to) {
            return Ok(switchboard.channel(from, to));
        }
        let address = config.remotes.get(to).with_context(|| {
            format!("remotes.{to}: the service {to} does not run here, so say where it does")
        })?;
        let options = RemoteOptions {
            connect_timeout: Duration::from_millis(config.calls.connect_timeout_ms),
            request_timeout: Duration::from_millis(config.calls.timeout_ms),
            attempts: config.calls.attempts,
            ..RemoteOptions::new(from, to, self.tokens.clone())
        };
        web::channel::remote(address, options, self.clock.clone(), self.rng.clone())
            .with_context(|| format!("remotes.{to} is not an address"))
    }

    /// What the process answers with: the gateway in front of everything, or, in a process without
    /// it, the services' own routes for the gateway and the other services to call.
    fn router(
        &self,
        config: &Config,
        started: &[Started],
        verifier: Verifier,
        pages: Router,
    ) -> anyhow::Result<Router> {
        let gateway = config.runs("gateway").then(|| Gateway {
            config: config.gateway.clone(),
            cache: self.cache.clone(),
            verifier: verifier.clone(),
            tls: config.public_url().starts_with("https:"),
        });
        let mut router = if let Some(gateway) = &gateway {
            let document = services::document(&config.public_url())?;
            let pages = pages.merge(web::openapi::routes(&document, crate::error_pages::page)?);
            gateway.router(upstreams(config, started)?, pages)?
        } else {
            let public = started.iter().fold(Router::new(), |all, one| all.merge(one.public.clone()));
            web::auth::layer(public, verifier)
        };
        // Other processes call the services that run here; with the gateway there are no others that do.
        if gateway.is_none() {
            for service in started {
                let internal = internal_layer(service.internal.clone(), self.tokens.clone(), service.name);
                router = router.merge(internal);
            }
        }
        let observer =
            Observer { clock: self.clock.clone(), rng: self.rng.clone(), proxies: config.server.proxies()? };
        let bounds = Standard {
            observer,
            timeout: Duration::from_millis(config.server.request_timeout_ms),
            body_limit: config.server.body_limit,
            max_in_flight: config.server.max_in_flight,
        };
        Ok(match gateway {
            Some(gateway) => gateway.edge(bounded(router, bounds)),
            None => standard(router, bounds),
        })
    }
}

fn upstreams(config: &Config, started: &[Started]) -> anyhow::Result<Vec<Upstream>> {
    let mut upstreams = Vec::new();
    for name in NAMES.iter().filter(|name| **name != "gateway") {
        let target = match started.iter().find(|service| service.name == *name) {
            Some(service) => Target::Local(service.public.clone()),
            None => {
                let address = config.remotes.get(*name).cloned().unwrap_or_default();
                Target::Remote(address.parse().with_context(|| format!("remotes.{name} is not an address"))?)
            }
        };
        upstreams.push(Upstream { service: name, target });
    }
    Ok(upstreams)
}

async fn database(config: &Config, name: &'static str, clock: &Clock, rng: &Rng) -> anyhow::Result<Database> {
    Database::open(&config.database, name, &config.data, clock.clone(), rng.clone())
        .await
        .with_context(|| format!("the database of {name} cannot be opened"))
}

fn objects(config: &Config, data: &Path) -> anyhow::Result<Objects> {
    let folder = || ObjectsConfig::Folder(FolderConfig { path: data.join("objects") });
    let config = config.objects.clone().unwrap_or_else(folder);
    Objects::open(&config).context("the place for files cannot be opened")
}
