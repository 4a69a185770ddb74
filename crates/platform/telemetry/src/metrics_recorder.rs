//! Prometheus metrics behind the `metrics` facade, without a listener of their own.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::TelemetryError;

/// Durations from half a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) fn recorder() -> Result<PrometheusRecorder, TelemetryError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(TelemetryError::Metrics)?;
    Ok(builder.build_recorder())
}

/// Folds recorded durations into their buckets now and then: they pile up until someone does,
/// and a scraper may never come. Ends when the sender is dropped.
pub(crate) fn keep_up(handle: PrometheusHandle) -> Result<SyncSender<()>, TelemetryError> {
    let (stop, stopped) = sync_channel(0);
    std::thread::Builder::new()
        .name("metrics-upkeep".to_owned())
        .spawn(move || {
            while stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                handle.run_upkeep();
            }
        })
        .map_err(TelemetryError::Thread)?;
    Ok(stop)
}
