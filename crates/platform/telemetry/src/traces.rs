//! Traces over OTLP/HTTP: batched in a bounded queue, redacted, sent from a thread of their own.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tokio::runtime::Runtime;

use crate::config::TracesConfig;
use crate::{TelemetryError, redact};

const MAX_QUEUE: u64 = 1_000_000;
const MAX_BATCH: usize = 512;
const WHOLE: u16 = 1_000;

/// The provider that sends spans to `endpoint`.
pub(crate) fn provider(config: &TracesConfig, endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    check("traces.sample_per_mille", config.sample_per_mille.into(), 0, WHOLE.into())?;
    check("traces.queue", u64::try_from(config.queue).unwrap_or(u64::MAX), 1, MAX_QUEUE)?;
    check("traces.interval_ms", config.interval_ms, 10, 60_000)?;
    check("traces.timeout_ms", config.timeout_ms, 10, 60_000)?;
    let timeout = Duration::from_millis(config.timeout_ms);
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(http_client(timeout)?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(timeout)
        .build()
        .map_err(|error| TelemetryError::Exporter(error.into()))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(TelemetryError::Thread)?;
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(config.queue)
        .with_max_export_batch_size(config.queue.min(MAX_BATCH))
        .with_scheduled_delay(Duration::from_millis(config.interval_ms))
        .build();
    let exporter =
        RedactingExporter { inner: exporter, runtime: Some(runtime), failing: AtomicBool::new(false) };
    Ok(SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batch).build())
        .with_sampler(sampler(config.sample_per_mille))
        .with_resource(Resource::builder_empty().with_service_name(config.service_name.clone()).build())
        .build())
}

fn check(field: &'static str, value: u64, least: u64, most: u64) -> Result<(), TelemetryError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(TelemetryError::OutOfRange { field, least, most })
    }
}

#[allow(clippy::float_arithmetic)] // The sampler's interface is a fraction.
fn sampler(per_mille: u16) -> Sampler {
    let fraction = f64::from(per_mille) / f64::from(WHOLE);
    Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(fraction)))
}

fn http_client(timeout: Duration) -> Result<reqwest::Client, TelemetryError> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| TelemetryError::Exporter(error);
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(timeout)
        // Nothing drives a connection between two transmissions, so none is kept.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| broken(error.into()))
}

/// Hands spans on without the secrets in them.
///
/// It is called on the batch processor's own thread, outside any runtime, and brings the one that
/// its HTTP client needs. So spans can be flushed while the program's runtime winds down.
#[derive(Debug)]
struct RedactingExporter<E> {
    inner: E,
    runtime: Option<Runtime>,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for RedactingExporter<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(redact_span);
        let result = match &self.runtime {
            Some(runtime) => runtime.block_on(self.inner.export(batch)),
            None => Ok(()),
        };
        let failed = result.is_err();
        if failed {
            metrics::counter!("telemetry_trace_exports_failed_total").increment(1);
        }
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            if failed {
                tracing::warn!("traces cannot be sent; is the OTLP collector up?");
            } else {
                tracing::info!("traces are sent again");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E> Drop for RedactingExporter<E> {
    fn drop(&mut self) {
        // A plain drop would wait, which is forbidden on a thread that runs asynchronous work.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn redact_span(span: &mut SpanData) {
    redact_cow(&mut span.name);
    span.attributes.iter_mut().for_each(redact_attribute);
    for event in &mut span.events.events {
        redact_cow(&mut event.name);
        event.attributes.iter_mut().for_each(redact_attribute);
    }
    for link in &mut span.links.links {
        link.attributes.iter_mut().for_each(redact_attribute);
    }
    if let Status::Error { description } = &mut span.status {
        redact_cow(description);
    }
}

fn redact_cow(text: &mut Cow<'static, str>) {
    if let Cow::Owned(kept) = redact::redact(text) {
        *text = Cow::Owned(kept);
    }
}

fn redact_attribute(attribute: &mut KeyValue) {
    let name = attribute.key.as_str();
    match &mut attribute.value {
        Value::Array(Array::String(values)) => {
            for value in values {
                *value = StringValue::from(redact::field(name, value.as_str()).into_owned());
            }
        }
        value => {
            let text = value.as_str();
            let kept = redact::field(name, &text);
            if kept != text {
                let kept = kept.into_owned();
                *value = Value::String(kept.into());
            }
        }
    }
}
