use kernel::Clock;
use telemetry::{Telemetry, TelemetryConfig};

#[test]
fn metrics_are_rendered_with_those_of_the_process() {
    let Telemetry { recorder, guard, .. } =
        Telemetry::build(&TelemetryConfig::default(), false, Clock::system(), std::io::sink).unwrap();
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("orders_placed_total", "channel" => "web").increment(2);
        metrics::histogram!("http_request_seconds").record(0.003);
    });
    let text = guard.render_metrics();
    assert!(text.contains(r#"orders_placed_total{channel="web"} 2"#), "{text}");
    assert!(text.contains(r#"http_request_seconds_bucket{le="0.005"} 1"#), "{text}");
    assert!(text.contains(r#"http_request_seconds_bucket{le="0.0025"} 0"#), "{text}");
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap_or_else(|| panic!("{name}"));
        assert!(line.split_once(' ').unwrap().1.parse::<f64>().unwrap() >= 0.0, "{line}");
    }
}

#[test]
fn installing_twice_is_harmless() {
    let first = Telemetry::init(&TelemetryConfig::default()).unwrap();
    let second = Telemetry::init(&TelemetryConfig::default()).unwrap();
    metrics::counter!("installed_total").increment(1);
    assert!(first.render_metrics().contains("installed_total 1"));
    assert!(second.render_metrics().contains("installed_total 1"));
}
