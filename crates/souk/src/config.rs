//! `souk.toml`: one section per part, defaults for all of it. Only here is the environment read:
//! `SOUK_DATABASE__POSTGRES__URL=…` stands for `url` in `[database.postgres]`, and wins over the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use toml::{Table, Value};

use crate::services::NAMES;

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where everything is kept that no outside engine keeps.
    pub(crate) data: PathBuf,
    /// Where requests are taken.
    pub(crate) listen: String,
    /// Where health, readiness and metrics are told.
    pub(crate) ops_listen: String,
    /// Where people reach the shop, without a slash at the end; the listening address when absent.
    pub(crate) public_url: Option<String>,
    /// Which services run in this process; all of them when none is named.
    pub(crate) services: Vec<String>,
    /// Where the services are that run elsewhere: `orders = "http://10.0.0.7:8080"`.
    pub(crate) remotes: BTreeMap<String, String>,
    /// How patient calls to services in other processes are.
    pub(crate) calls: Calls,
    pub(crate) server: gateway::ServerConfig,
    pub(crate) gateway: gateway::GatewayConfig,
    pub(crate) database: database::DatabaseConfig,
    pub(crate) bus: bus::BusConfig,
    pub(crate) cache: cache::CacheConfig,
    pub(crate) objects: Option<objects::ObjectsConfig>,
    pub(crate) mail: mail::MailConfig,
    pub(crate) vault: vault::VaultConfig,
    pub(crate) telemetry: telemetry::TelemetryConfig,
    pub(crate) identity: identity::Config,
    pub(crate) customers: customers::Config,
    pub(crate) catalog: catalog::Config,
    pub(crate) orders: orders::Config,
    pub(crate) payments: payments::Config,
    pub(crate) analytics: analytics::Config,
    pub(crate) sync: sync::Config,
    pub(crate) feedback: feedback::Config,
}

/// How patient calls to services in other processes are.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Calls {
    /// How long connecting may take, in milliseconds.
    pub(crate) connect_timeout_ms: u64,
    /// How long one try may take, in milliseconds.
    pub(crate) timeout_ms: u64,
    /// How often a call that is safe to repeat is tried.
    pub(crate) attempts: u32,
}

impl Default for Calls {
    fn default() -> Self {
        Self { connect_timeout_ms: 1_000, timeout_ms: 5_000, attempts: 3 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            listen: "127.0.0.1:8080".to_owned(),
            ops_listen: "127.0.0.1:8081".to_owned(),
            public_url: None,
            services: Vec::new(),
            remotes: BTreeMap::new(),
            calls: Calls::default(),
            server: gateway::ServerConfig::default(),
            gateway: gateway::GatewayConfig::default(),
            database: database::DatabaseConfig::default(),
            bus: bus::BusConfig::default(),
            cache: cache::CacheConfig::default(),
            objects: None,
            mail: mail::MailConfig::default(),
            vault: vault::VaultConfig::default(),
            telemetry: telemetry::TelemetryConfig::default(),
            identity: identity::Config::default(),
            customers: customers::Config::default(),
            catalog: catalog::Config::default(),
            orders: orders::Config::default(),
            payments: payments::Config::default(),
            analytics: analytics::Config::default(),
            sync: sync::Config::default(),
            feedback: feedback::Config::default(),
        }
    }
}

const PREFIX: &str = "SOUK_";

impl Config {
    /// Reads `file` when one is given, then what the environment says.
    pub(crate) fn load(file: Option<&Path>, environment: &[(String, String)]) -> anyhow::Result<Self> {
        let mut table = match file {
            None => Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                text.parse().with_context(|| format!("{} is not TOML", path.display()))?
            }
        };
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
                set(&mut table, &path, value).with_context(|| format!("{name} does not fit"))?;
            }
        }
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            anyhow::anyhow!("{path}: {}", error.into_inner())
        })
    }

    /// Where people reach the shop.
    pub(crate) fn public_url(&self) -> String {
        let scheme = if self.server.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{}", self.listen))
    }

    /// Whether `service` runs in this process.
    pub(crate) fn runs(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| name == service)
    }

    /// Checks what types alone cannot, and points at the field.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        // Other processes could not call the services that stand behind a gateway: it lets nothing
        // through by which services trust each other.
        if !self.services.is_empty() && self.runs("gateway") && self.services.len() != 1 {
            bail!("services: the gateway runs alone, or in one process with all services");
        }
        for name in self.services.iter().chain(self.remotes.keys()) {
            if !NAMES.contains(&name.as_str()) {
                bail!("services: there is no service {name:?}; there are {}", NAMES.join(", "));
            }
        }
        for name in NAMES {
            if !self.runs(name) && *name != "gateway" && !self.remotes.contains_key(*name) {
                bail!("remotes.{name}: the service {name} does not run here, so say where it does");
            }
        }
        for (field, address) in [("listen", &self.listen), ("ops_listen", &self.ops_listen)] {
            let sound = address
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if !sound {
                bail!("{field}: {address:?} is not a host and a port, such as 127.0.0.1:8080");
            }
        }
        if self.calls.attempts == 0 || self.calls.timeout_ms == 0 || self.calls.connect_timeout_ms == 0 {
            bail!("calls: every value must be at least 1");
        }
        self.server.validate()?;
        self.gateway.validate()?;
        self.database.validate()?;
        crate::services::validate(self)
    }
}

/// Sets the value at `path`. What can be read as a TOML value is taken as one, so a text that looks
/// like a number is put in quotes; anything else is a text as it is.
fn set(table: &mut Table, path: &[String], text: &str) -> anyhow::Result<()> {
    let Some((last, above)) = path.split_last() else { return Ok(()) };
    let mut table = table;
    for name in above {
        let entry = table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().with_context(|| format!("{name} is not a section"))?;
    }
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(text.to_owned()));
    table.insert(last.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, environment: &[(&str, &str)]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("souk.toml");
        std::fs::write(&path, toml).unwrap();
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Config::load(Some(&path), &environment)?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn nothing_needs_to_be_said() {
        load("", &[]).unwrap();
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load(
            "listen = '127.0.0.1:1'\n[server]\nbody_limit = 7\n",
            &[("SOUK_SERVER__BODY_LIMIT", "9"), ("SOUK_LISTEN", "'127.0.0.1:2'"), ("OTHER", "x")],
        )
        .unwrap();
        assert_eq!((config.server.body_limit, config.listen.as_str()), (9, "127.0.0.1:2"));
    }

    #[test]
    fn a_fault_is_pointed_at() {
        let error = |toml| format!("{:#}", load(toml, &[]).unwrap_err());
        assert!(error("[server]\nbody_limit = 'much'").starts_with("server.body_limit"));
        assert!(error("[server]\nspeed = 1").contains("speed"));
        assert!(error("listen = '127.0.0.1:99999'").starts_with("listen"));
        assert!(error("ops_listen = '8081'").starts_with("ops_listen"));
        assert!(error("services = ['shop']").contains("shop"));
        assert!(error("services = ['orders']").contains("remotes."));
        assert!(error("services = ['orders', 'gateway']").contains("alone"));
    }
}
