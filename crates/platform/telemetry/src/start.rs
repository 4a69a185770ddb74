use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use kernel::Clock;
use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use crate::log::{Layout, LogLayer};
use crate::process::Birth;
use crate::{LogFormat, TelemetryConfig, TelemetryError, metrics_recorder, process, traces};

/// Logs, traces and metrics, built but not yet installed anywhere.
pub struct Telemetry {
    /// Takes log events and spans.
    pub dispatch: Dispatch,
    /// Takes metrics.
    pub recorder: PrometheusRecorder,
    /// Renders the metrics; sends the last spans when dropped.
    pub guard: Guard,
}

/// Keeps telemetry going. Dropping it sends the spans that wait.
pub struct Guard {
    metrics: PrometheusHandle,
    birth: Birth,
    provider: Option<SdkTracerProvider>,
    _upkeep: Option<SyncSender<()>>,
}

/// The metrics that the process records to, once installed.
static INSTALLED: OnceLock<(PrometheusHandle, Birth)> = OnceLock::new();

impl Telemetry {
    /// Installs logs (to standard error), traces and metrics for the whole process. Calling it
    /// again installs nothing more: the new guard renders the metrics of the first.
    ///
    /// # Errors
    /// When the configuration is not sound or the exporter of traces cannot be built.
    pub fn init(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
        let terminal = std::io::stderr().is_terminal();
        let Self { dispatch, recorder, guard } =
            Self::build(config, terminal, Clock::system(), std::io::stderr)?;
        let _ = INSTALLED.set((guard.metrics.clone(), guard.birth));
        // Somebody was here before: their subscriber and their recorder stay.
        let subscribed = tracing::dispatcher::set_global_default(dispatch).is_ok();
        let recorded = metrics::set_global_recorder(recorder).is_ok();
        if subscribed && recorded {
            return Ok(guard);
        }
        let (metrics, birth) = INSTALLED.get().cloned().unwrap_or((guard.metrics.clone(), guard.birth));
        Ok(Guard { metrics, birth, provider: None, _upkeep: None })
    }

    /// Builds the same without installing it, with log lines going to `writer`.
    ///
    /// # Errors
    /// As [`Telemetry::init`].
    pub fn build<W>(
        config: &TelemetryConfig,
        terminal: bool,
        clock: Clock,
        writer: W,
    ) -> Result<Self, TelemetryError>
    where
        W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
    {
        let filter = EnvFilter::try_new(&config.log.level).map_err(TelemetryError::Level)?;
        let layout = match config.log.format {
            LogFormat::Json => Layout::Json,
            LogFormat::Auto if !terminal => Layout::Json,
            LogFormat::Text | LogFormat::Auto => Layout::Text { colour: terminal },
        };
        let birth = Birth { at: clock.now(), instant: Instant::now() };
        let log = LogLayer::new(layout, clock, writer);
        let provider = match &config.traces.otlp_endpoint {
            Some(endpoint) => Some(traces::provider(&config.traces, endpoint)?),
            None => None,
        };
        let recorder = metrics_recorder::recorder()?;
        let metrics = recorder.handle();
        let upkeep = metrics_recorder::keep_up(metrics.clone())?;
        let dispatch = dispatch(filter, log, provider.as_ref());
        Ok(Self { dispatch, recorder, guard: Guard { metrics, birth, provider, _upkeep: Some(upkeep) } })
    }
}

fn dispatch<W>(filter: EnvFilter, log: LogLayer<W>, provider: Option<&SdkTracerProvider>) -> Dispatch
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let traces = provider.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("souk"))
            .with_threads(false)
            .with_location(false)
            .boxed()
    });
    let subscriber: Box<dyn Subscriber + Send + Sync> =
        Box::new(Registry::default().with(traces).with(log).with(filter));
    Dispatch::from(subscriber)
}

impl Guard {
    /// All metrics in Prometheus's text format, those of the process included.
    pub fn render_metrics(&self) -> String {
        let mut out = self.metrics.render();
        process::render(self.birth, &mut out);
        out
    }

    /// Sends the spans that wait now, and returns when they are sent or their time-out is over.
    pub fn flush(&self) {
        if let Some(provider) = &self.provider {
            // The exporter counts and logs its own failures.
            let _ = provider.force_flush();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider {
            let _ = provider.shutdown();
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("traces", &self.provider.is_some()).finish_non_exhaustive()
    }
}
