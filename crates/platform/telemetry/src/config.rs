use serde::Deserialize;

/// The `[telemetry]` section of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// What is logged, and how.
    pub log: LogConfig,
    /// Where traces go.
    pub traces: TracesConfig,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or directives per module as in `info,orders=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text when standard error is a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where traces go, and how many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// The base URL of an OTLP/HTTP collector, as in `http://127.0.0.1:4318`; `/v1/traces` is
    /// appended. Without it nothing is traced.
    pub otlp_endpoint: Option<String>,
    /// What the traces are filed under: OpenTelemetry's `service.name`.
    pub service_name: String,
    /// Of a thousand traces that begin here, how many are recorded. A caller's own decision is
    /// always followed.
    pub sample_per_mille: u16,
    /// Spans that wait to be sent; more are dropped rather than slow the work down.
    pub queue: usize,
    /// The longest that spans wait, in milliseconds.
    pub interval_ms: u64,
    /// The longest that one transmission takes, retries included, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "souk".to_owned(),
            sample_per_mille: 1_000,
            queue: 2_048,
            interval_ms: 2_000,
            timeout_ms: 5_000,
        }
    }
}
