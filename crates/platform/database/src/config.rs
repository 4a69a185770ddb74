use std::time::Duration;

use kernel::Secret;
use serde::Deserialize;

use crate::error::Error;

/// The section `database`: which engine, and its limits. The default is the embedded engine.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DatabaseConfig {
    /// SQLite, one file per service in the data folder.
    Embedded(EmbeddedConfig),
    /// PostgreSQL 15 or newer, one schema per service.
    Postgres(PostgresConfig),
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self::Embedded(EmbeddedConfig::default())
    }
}

/// Limits of the embedded engine.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// How many connections read at once.
    pub readers: usize,
    /// How many transactions may wait for the writer; more are refused as overload.
    pub writer_queue: usize,
    /// The most transactions that one commit makes durable.
    pub group_max: usize,
    /// For how long a group goes on taking transactions after its first one has ended.
    pub group_max_wait_ms: u64,
    /// For how long a transaction may wait for its turn.
    pub queue_timeout_ms: u64,
    /// For how long a transaction may stay open.
    pub tx_timeout_ms: u64,
    /// For how long one statement may run.
    pub statement_timeout_ms: u64,
    /// For how long to wait while another process writes to the same file.
    pub busy_timeout_ms: u64,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// How much of the file is mapped into memory, in MiB. Zero: none.
    pub mmap_mib: u32,
    /// Prepared statements that each connection keeps.
    pub statement_cache: usize,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            readers: 8,
            writer_queue: 1_024,
            group_max: 64,
            group_max_wait_ms: 5,
            queue_timeout_ms: 5_000,
            tx_timeout_ms: 5_000,
            statement_timeout_ms: 5_000,
            busy_timeout_ms: 5_000,
            cache_kib: 16_384,
            mmap_mib: 256,
            statement_cache: 256,
        }
    }
}

/// Limits of the PostgreSQL engine.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// `postgres://user:password@host/database`, with `?sslmode=require` for TLS. Of several hosts with commas, the
    /// one that takes writes is used, whichever that is at the time.
    pub url: Secret<String>,
    /// A streaming replica that reads may go to; one server, which may become the primary.
    #[serde(default)]
    pub replica_url: Option<Secret<String>>,
    /// A PEM file of certificate authorities to trust besides the system's.
    #[serde(default)]
    pub ca_file: Option<std::path::PathBuf>,
    /// Connections of this service to the primary.
    #[serde(default = "defaults::pool")]
    pub pool: usize,
    /// Connections of this service to the replica.
    #[serde(default = "defaults::pool")]
    pub replica_pool: usize,
    /// For how long to wait for a free connection.
    #[serde(default = "defaults::five_seconds")]
    pub pool_timeout_ms: u64,
    /// For how long to try to connect.
    #[serde(default = "defaults::five_seconds")]
    pub connect_timeout_ms: u64,
    /// For how long one statement may run.
    #[serde(default = "defaults::five_seconds")]
    pub statement_timeout_ms: u64,
    /// For how long a transaction may stay open.
    #[serde(default = "defaults::five_seconds")]
    pub tx_timeout_ms: u64,
    /// How often a transaction that lost against a concurrent one runs again.
    #[serde(default = "defaults::retries")]
    pub retries: u32,
    /// Prepared statements that each connection keeps.
    #[serde(default = "defaults::statement_cache")]
    pub statement_cache: usize,
    /// Whether a pooler such as pgbouncer hands each transaction to another server connection. Then nothing
    /// is prepared or set for longer than a transaction.
    #[serde(default)]
    pub transaction_pooling: bool,
}

mod defaults {
    pub(super) fn pool() -> usize {
        10
    }

    pub(super) fn five_seconds() -> u64 {
        5_000
    }

    pub(super) fn retries() -> u32 {
        20
    }

    pub(super) fn statement_cache() -> usize {
        256
    }
}

impl PostgresConfig {
    /// The defaults for the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url.into()),
            replica_url: None,
            ca_file: None,
            pool: defaults::pool(),
            replica_pool: defaults::pool(),
            pool_timeout_ms: defaults::five_seconds(),
            connect_timeout_ms: defaults::five_seconds(),
            statement_timeout_ms: defaults::five_seconds(),
            tx_timeout_ms: defaults::five_seconds(),
            retries: defaults::retries(),
            statement_cache: defaults::statement_cache(),
            transaction_pooling: false,
        }
    }
}

impl DatabaseConfig {
    /// PostgreSQL at `url` with the default limits.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self::Postgres(PostgresConfig::new(url))
    }

    /// Whether every limit is usable.
    ///
    /// # Errors
    /// [`Error::Config`] that names the first field that is not.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Embedded(config) => config.validate(),
            Self::Postgres(config) => config.validate(),
        }
    }
}

impl EmbeddedConfig {
    fn validate(&self) -> Result<(), Error> {
        within("embedded.readers", self.readers as u64, 1, 1_024)?;
        within("embedded.writer_queue", self.writer_queue as u64, 1, 1_000_000)?;
        within("embedded.group_max", self.group_max as u64, 1, 100_000)?;
        within("embedded.group_max_wait_ms", self.group_max_wait_ms, 0, 1_000)?;
        within("embedded.queue_timeout_ms", self.queue_timeout_ms, 1, 600_000)?;
        within("embedded.tx_timeout_ms", self.tx_timeout_ms, 1, 600_000)?;
        within("embedded.statement_timeout_ms", self.statement_timeout_ms, 1, 600_000)?;
        within("embedded.busy_timeout_ms", self.busy_timeout_ms, 0, 600_000)?;
        within("embedded.cache_kib", self.cache_kib.into(), 64, 16 << 20)?;
        within("embedded.mmap_mib", self.mmap_mib.into(), 0, 1 << 20)?;
        within("embedded.statement_cache", self.statement_cache as u64, 16, 10_000)
    }
}

impl PostgresConfig {
    fn validate(&self) -> Result<(), Error> {
        within("postgres.pool", self.pool as u64, 1, 10_000)?;
        within("postgres.replica_pool", self.replica_pool as u64, 1, 10_000)?;
        within("postgres.pool_timeout_ms", self.pool_timeout_ms, 1, 600_000)?;
        within("postgres.connect_timeout_ms", self.connect_timeout_ms, 1, 600_000)?;
        within("postgres.statement_timeout_ms", self.statement_timeout_ms, 1, 600_000)?;
        within("postgres.tx_timeout_ms", self.tx_timeout_ms, 1, 600_000)?;
        within("postgres.retries", self.retries.into(), 0, 1_000)?;
        within("postgres.statement_cache", self.statement_cache as u64, 16, 10_000)
    }
}

fn within(field: &'static str, value: u64, least: u64, most: u64) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Config { field, problem: format!("must be between {least} and {most}, and is {value}") })
}

pub(crate) const fn millis(value: u64) -> Duration {
    Duration::from_millis(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_faults_name_their_field() {
        DatabaseConfig::default().validate().unwrap();
        DatabaseConfig::postgres("postgres://localhost/souk").validate().unwrap();
        let config = DatabaseConfig::Embedded(EmbeddedConfig { readers: 0, ..EmbeddedConfig::default() });
        assert!(config.validate().unwrap_err().to_string().starts_with("database.embedded.readers: must be"));
    }

    #[test]
    fn sections_are_read_and_unknown_fields_refused() {
        let read = |json: &str| serde_json::from_str::<DatabaseConfig>(json);
        let embedded = read(r#"{"embedded": {"readers": 2}}"#).unwrap();
        assert!(matches!(embedded, DatabaseConfig::Embedded(EmbeddedConfig { readers: 2, .. })));
        let postgres = read(r#"{"postgres": {"url": "postgres://u:hunter2@h/d", "pool": 3}}"#).unwrap();
        assert!(!format!("{postgres:?}").contains("hunter2"));
        assert!(matches!(postgres, DatabaseConfig::Postgres(PostgresConfig { pool: 3, retries: 20, .. })));
        assert!(read(r#"{"embedded": {"reader": 2}}"#).is_err());
        assert!(read(r#"{"mongodb": {}}"#).is_err());
    }
}
