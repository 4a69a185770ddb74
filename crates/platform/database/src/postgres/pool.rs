use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, RecyclingMethod, Runtime, Timeouts};
use kernel::Secret;
use parking_lot::Mutex;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{CancelToken, NoTls};

use super::connect::{AnyOf, addresses};
use super::errors::classify_pool;
use super::tls::Tls;
use crate::config::{PostgresConfig, millis};
use crate::error::{Error, Source};

/// How much longer than the server a client waits for a statement, before it takes the server for lost.
const GRACE: Duration = Duration::from_secs(2);

/// Connections of one service to one server.
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    tls: Tls,
    /// The most connections that there may be.
    pub(super) size: usize,
    pub(super) schema: &'static str,
    pub(super) settings: Settings,
    /// Why the last attempt to connect failed, and until when that is answer enough.
    away: Mutex<Option<(Instant, Source)>>,
}

/// For how long nobody else tries to connect after an attempt has failed: a server that starts or takes over must
/// not be kept from it by those who wait for it.
const LEAVE_ALONE: Duration = Duration::from_millis(200);

/// What each connection must know.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) statement_timeout: Duration,
    pub(super) tx_timeout: Duration,
    pub(super) statement_cache: usize,
    pub(super) transaction_pooling: bool,
}

impl Settings {
    fn new(config: &PostgresConfig) -> Self {
        Self {
            statement_timeout: millis(config.statement_timeout_ms),
            tx_timeout: millis(config.tx_timeout_ms),
            statement_cache: config.statement_cache,
            transaction_pooling: config.transaction_pooling,
        }
    }

    /// For how long to wait for an answer to a statement.
    pub(super) fn patience(&self) -> Duration {
        self.statement_timeout + GRACE
    }
}

impl Pool {
    /// A pool for the schema `schema` on whichever of the servers of `url` takes writes. Connects when the first
    /// connection is asked for.
    pub(super) fn primary(config: &PostgresConfig, schema: &'static str) -> Result<Arc<Self>, Error> {
        let mut servers = servers(config, &config.url, schema, "postgres.url")?;
        for server in &mut servers {
            // A server that has become a replica, or has not yet become a primary, is not the one.
            server.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Self::new(config, servers, config.pool, schema)
    }

    /// A pool on the one server of `url`, whatever it takes.
    pub(super) fn replica(
        config: &PostgresConfig,
        url: &Secret<String>,
        schema: &'static str,
    ) -> Result<Arc<Self>, Error> {
        let field = "postgres.replica_url";
        let servers = servers(config, url, schema, field)?;
        if servers.len() > 1 {
            // How far a replica has come is known of one, not of each of several.
            return Err(Error::Config { field, problem: "must name one server".to_owned() });
        }
        Self::new(config, servers, config.replica_pool, schema)
    }

    fn new(
        config: &PostgresConfig,
        servers: Vec<tokio_postgres::Config>,
        size: usize,
        schema: &'static str,
    ) -> Result<Arc<Self>, Error> {
        let unusable = |problem: String| Error::Config { field: "postgres.url", problem };
        let first = servers.first().cloned().ok_or_else(|| unusable("names no server".to_owned()))?;
        let tls = Tls::new(first.get_ssl_mode(), config.ca_file.as_deref())?;
        // A closed connection is noticed without asking; an open one is clean, because a session that cannot
        // vouch for its connection does not give it back.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &tls {
            Tls::Plain => Manager::from_connect(first, AnyOf::new(servers, NoTls), recycling),
            Tls::Verified(connector) => {
                Manager::from_connect(first, AnyOf::new(servers, connector.clone()), recycling)
            }
        };
        let connections = deadpool_postgres::Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(millis(config.pool_timeout_ms)),
                create: Some(millis(config.connect_timeout_ms)),
                recycle: None,
            })
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Arc::new(Self {
            connections,
            tls,
            size,
            schema,
            settings: Settings::new(config),
            away: Mutex::new(None),
        }))
    }

    /// Waits for a free connection, for as long as the configuration allows.
    pub(super) async fn connection(&self) -> Result<Object, Error> {
        let asked = Instant::now();
        if let Some(source) = self.known_away(asked) {
            return Err(Error::Unavailable { source });
        }
        let connection = self.connections.get().await.map_err(classify_pool);
        *self.away.lock() = match &connection {
            Err(Error::Unavailable { source }) => Some((Instant::now() + LEAVE_ALONE, source.clone())),
            _ => None,
        };
        let connection = connection?;
        metrics::histogram!("database_pool_wait_seconds", "database" => self.schema).record(asked.elapsed());
        Ok(connection)
    }

    /// Why the server could not be reached just now, if nothing else is to be done about that than to say so. Whoever
    /// comes after a while is the one who tries again.
    fn known_away(&self, now: Instant) -> Option<Source> {
        let mut away = self.away.lock();
        let (until, source) = away.as_mut()?;
        if self.connections.status().available > 0 {
            return None;
        }
        if now < *until {
            return Some(source.clone());
        }
        *until = now + LEAVE_ALONE;
        None
    }

    /// Asks the server to stop the statement that `token`'s connection is running.
    pub(super) fn cancel(&self, token: CancelToken) {
        let tls = self.tls.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let cancelled = async {
                match tls {
                    Tls::Plain => token.cancel_query(NoTls).await,
                    Tls::Verified(connector) => token.cancel_query(connector).await,
                }
            };
            // The statement's own time-out ends it when this does not.
            let _ = tokio::time::timeout(GRACE, cancelled).await;
        });
    }
}

/// How to connect to each of the servers that `url` names.
fn servers(
    config: &PostgresConfig,
    url: &Secret<String>,
    schema: &'static str,
    field: &'static str,
) -> Result<Vec<tokio_postgres::Config>, Error> {
    let settings = Settings::new(config);
    let server = |address: String| {
        // The parser's complaint may quote the address, and the address holds a password.
        let mut server: tokio_postgres::Config = address
            .parse()
            .map_err(|_| Error::Config { field, problem: "is not an address of PostgreSQL".to_owned() })?;
        server.connect_timeout(millis(config.connect_timeout_ms));
        server.tcp_user_timeout(settings.patience());
        server.keepalives_idle(Duration::from_secs(30));
        server.application_name(format!("souk {schema}"));
        if !settings.transaction_pooling {
            let own = server.get_options().unwrap_or_default();
            let options = format!(
                "{own} -c search_path={schema} -c statement_timeout={} -c idle_in_transaction_session_timeout={}",
                settings.statement_timeout.as_millis(),
                settings.tx_timeout.as_millis(),
            );
            server.options(options.trim_start());
        }
        Ok(server)
    };
    addresses(url.expose()).into_iter().map(server).collect()
}
