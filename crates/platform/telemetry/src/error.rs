/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is not a level or a list of directives.
    #[error("telemetry.log.level is not a level or a list of directives such as \"info,orders=debug\"")]
    Level(#[source] tracing_subscriber::filter::ParseError),
    /// A number of the configuration is out of range.
    #[error("telemetry.{field} must be between {least} and {most}")]
    OutOfRange {
        /// The field, as in `traces.queue`.
        field: &'static str,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// The exporter of traces could not be built, most often because of the endpoint.
    #[error("telemetry.traces.otlp_endpoint cannot be used; it is an http or https URL of an OTLP collector")]
    Exporter(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A background thread could not be started.
    #[error("a background thread for telemetry could not be started")]
    Thread(#[source] std::io::Error),
    /// The buckets of a histogram were refused.
    #[error("the metrics recorder could not be built")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}
