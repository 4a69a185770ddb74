use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The section `gateway` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Requests of one caller, or of one address when nobody is signed in, in any minute.
    pub requests: RateLimit,
    /// Requests to `/v1/auth` from one address, in any minute.
    pub authentication: RateLimit,
    /// Pages of other origins that may call the API.
    pub cors: CorsConfig,
    /// How long connecting to a service in another process may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Connections kept open to each service in another process.
    pub idle_connections: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            requests: RateLimit { quota: 1_200, window_seconds: 60 },
            authentication: RateLimit { quota: 60, window_seconds: 60 },
            cors: CorsConfig::default(),
            connect_timeout_ms: 2_000,
            idle_connections: 64,
        }
    }
}

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many; zero lifts the limit.
    pub quota: u32,
    /// In how many seconds.
    pub window_seconds: u64,
}

impl RateLimit {
    pub(crate) const fn window(self) -> Duration {
        Duration::from_secs(self.window_seconds)
    }
}

/// Who may call from a page of another origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// Origins such as `https://shop.example`, exactly as a browser sends them. None by default.
    pub origins: Vec<String>,
}

/// The section `server` of the configuration: connections.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Certificate and key; without them HTTP is spoken in the clear.
    pub tls: Option<TlsConfig>,
    /// The most connections at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a TLS handshake may take, in milliseconds.
    pub handshake_timeout_ms: u64,
    /// How long a client may take to send the header of a request, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long an answer may take to begin, in milliseconds.
    pub request_timeout_ms: u64,
    /// The most bytes of a request's body, where a route does not say otherwise.
    pub body_limit: usize,
    /// The most requests that are worked on at once; further ones are refused with 503.
    pub max_in_flight: usize,
    /// The most streams of one HTTP/2 connection at once.
    pub max_streams: u32,
    /// How long to answer on at shutdown while `/readyz` already says no, in milliseconds, so that a
    /// load balancer stops sending first.
    pub drain_delay_ms: u64,
    /// How long requests that are being worked on may take to end at shutdown, in milliseconds.
    pub drain_timeout_ms: u64,
    /// Proxies in front whose `X-Forwarded-For` is believed: addresses or ranges.
    pub trusted_proxies: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            tls: None,
            max_connections: 20_000,
            handshake_timeout_ms: 10_000,
            header_timeout_ms: 10_000,
            request_timeout_ms: 30_000,
            body_limit: 1024 * 1024,
            max_in_flight: 1_024,
            max_streams: 250,
            drain_delay_ms: 0,
            drain_timeout_ms: 20_000,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Where the certificate is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and what leads up to the authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// How often to look whether the files changed, in milliseconds.
    #[serde(default = "default_reload")]
    pub reload_ms: u64,
}

const fn default_reload() -> u64 {
    10_000
}

/// A field that cannot be as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ConfigError {
    /// Which, as it is written in the file.
    pub field: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl GatewayConfig {
    /// Checks what types alone cannot.
    ///
    /// # Errors
    /// Points at the first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, limit) in
            [("gateway.requests", self.requests), ("gateway.authentication", self.authentication)]
        {
            if limit.quota > 0 && !(1..=86_400).contains(&limit.window_seconds) {
                let problem = "window_seconds must be from 1 to 86400".to_owned();
                return Err(ConfigError { field, problem });
            }
            if limit.quota > cache::MAX_QUOTA {
                let problem = format!("quota must be at most {}; 0 means no limit", cache::MAX_QUOTA);
                return Err(ConfigError { field, problem });
            }
        }
        for origin in &self.cors.origins {
            if !origin.starts_with("http://") && !origin.starts_with("https://") || origin.ends_with('/') {
                let problem = format!("{origin:?} is not an origin such as https://shop.example");
                return Err(ConfigError { field: "gateway.cors.origins", problem });
            }
        }
        Ok(())
    }
}

impl ServerConfig {
    /// Checks what types alone cannot.
    ///
    /// # Errors
    /// Points at the first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let positive = [
            ("server.max_connections", self.max_connections),
            ("server.body_limit", self.body_limit),
            ("server.max_in_flight", self.max_in_flight),
        ];
        if let Some((field, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError { field, problem: "must be at least 1".to_owned() });
        }
        self.proxies().map(|_| ())
    }

    /// The proxies that are believed.
    ///
    /// # Errors
    /// When one of them is neither an address nor a range.
    pub fn proxies(&self) -> Result<web::TrustedProxies, ConfigError> {
        self.trusted_proxies
            .iter()
            .map(|text| {
                text.parse::<web::Network>().map_err(|error| ConfigError {
                    field: "server.trusted_proxies",
                    problem: format!("{text:?}: {error}"),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_faults_are_pointed_at() {
        GatewayConfig::default().validate().unwrap();
        ServerConfig::default().validate().unwrap();
        let config = ServerConfig { body_limit: 0, ..ServerConfig::default() };
        assert_eq!(config.validate().unwrap_err().field, "server.body_limit");
        let config = ServerConfig { trusted_proxies: vec!["ten".into()], ..ServerConfig::default() };
        assert_eq!(config.validate().unwrap_err().field, "server.trusted_proxies");
        let requests = RateLimit { quota: cache::MAX_QUOTA + 1, window_seconds: 60 };
        let config = GatewayConfig { requests, ..GatewayConfig::default() };
        assert_eq!(config.validate().unwrap_err().field, "gateway.requests", "it would limit nobody");
        let cors = CorsConfig { origins: vec!["https://shop.example/".into()] };
        let config = GatewayConfig { cors, ..GatewayConfig::default() };
        assert_eq!(config.validate().unwrap_err().field, "gateway.cors.origins");
    }
}
