#![doc = include_str!("../README.md")]

mod config;
mod error;
mod log;
mod metrics_recorder;
mod process;
mod propagation;
pub mod redact;
mod start;
mod traces;

pub use config::{LogConfig, LogFormat, TelemetryConfig, TracesConfig};
pub use error::TelemetryError;
pub use kernel::TraceContext;
pub use propagation::{continue_trace, extract, inject, trace_of};
pub use start::{Guard, Telemetry};
