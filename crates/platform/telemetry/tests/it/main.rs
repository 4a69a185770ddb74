//! Telemetry as a program sees it: lines in a writer, spans at a collector, metrics as text.

#![allow(clippy::unwrap_used)]

mod logs;
mod metrics_text;
mod otlp;
