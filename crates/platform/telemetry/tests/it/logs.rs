use std::io;
use std::sync::Arc;

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use telemetry::{LogFormat, Telemetry, TelemetryConfig};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(format: LogFormat, level: &str, act: impl FnOnce()) -> String {
    let captured = Captured::default();
    let mut config = TelemetryConfig::default();
    config.log.format = format;
    config.log.level = level.to_owned();
    let clock = Clock::manual(Timestamp::from_seconds(784_111_777));
    let telemetry = Telemetry::build(&config, false, clock, captured.clone()).unwrap();
    tracing::dispatcher::with_default(&telemetry.dispatch, act);
    captured.text()
}

fn careless() {
    let span = tracing::info_span!("signin", user = "jane@example.com", password = tracing::field::Empty);
    let _entered = span.enter();
    span.record("password", "hunter2");
    tracing::info!(
        token = "opaque-token",
        card = 4_111_111_111_111_111_u64,
        attempts = 3,
        headers = ?[("authorization", "Bearer abcdef0123456789")],
        "signed in jane@example.com with 4111 1111 1111 1111",
    );
}

#[test]
fn json_lines_hold_every_field_and_no_secret() {
    let text = logged(LogFormat::Json, "info", careless);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["timestamp"], "1994-11-06T08:49:37.000000Z");
    assert_eq!(line["level"], "info");
    assert_eq!(line["span"], "signin");
    assert_eq!(line["message"], "signed in [email] with [card]");
    assert_eq!(line["attempts"], 3);
    assert_eq!(line["card"], "[card]");
    assert_eq!(
        (&line["user"], &line["password"], &line["token"]),
        (&"[email]".into(), &"[secret]".into(), &"[secret]".into())
    );
    for secret in ["hunter2", "jane", "opaque", "4111", "abcdef"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn text_lines_hold_no_secret_either() {
    let text = logged(LogFormat::Text, "info", careless);
    assert!(
        text.starts_with("1994-11-06T08:49:37.000000Z  INFO it::logs: signed in [email] with [card]"),
        "{text}"
    );
    assert!(text.contains(" attempts=3"), "{text}");
    for secret in ["hunter2", "jane", "opaque", "4111", "abcdef"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn nobody_can_forge_a_line() {
    let text = logged(LogFormat::Text, "info", || {
        tracing::info!(name = "x\n2026 ERROR forged", "hello\r\nforged \x1b[31m");
    });
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn the_level_is_kept_per_module() {
    let text = logged(LogFormat::Json, "warn,it::logs=debug", || {
        tracing::debug!("here");
        tracing::info!(target: "elsewhere", "there");
    });
    assert!(text.contains("here") && !text.contains("\"there\""), "{text}");
}

#[test]
fn unsound_configuration_is_refused_by_field() {
    let mut config = TelemetryConfig::default();
    config.log.level = "info,orders=loud".to_owned();
    let refused = Telemetry::build(&config, false, Clock::system(), io::sink).err().unwrap();
    assert!(refused.to_string().contains("telemetry.log.level"), "{refused}");
    config = TelemetryConfig::default();
    config.traces.otlp_endpoint = Some("http://127.0.0.1:1".to_owned());
    config.traces.sample_per_mille = 1_001;
    let refused = Telemetry::build(&config, false, Clock::system(), io::sink).err().unwrap();
    assert!(refused.to_string().contains("traces.sample_per_mille"), "{refused}");
    assert!(serde_json::from_str::<TelemetryConfig>(r#"{"log":{"colour":true}}"#).is_err());
    assert_eq!(serde_json::from_str::<TelemetryConfig>("{}").unwrap(), TelemetryConfig::default());
}
