use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use kernel::{Clock, TraceContext};
use telemetry::{Guard, Telemetry, TelemetryConfig};
use tokio::sync::mpsc;
use tracing::Dispatch;

type Posts = mpsc::UnboundedReceiver<(String, Bytes)>;

/// A collector on loopback that hands over what is posted to it.
async fn collector() -> (SocketAddr, Posts) {
    let (sender, posts) = mpsc::unbounded_channel();
    async fn receive(
        State(sender): State<mpsc::UnboundedSender<(String, Bytes)>>,
        headers: HeaderMap,
        body: Bytes,
    ) {
        let _ = sender.send((headers["content-type"].to_str().unwrap().to_owned(), body));
    }
    let app = Router::new().route("/v1/traces", post(receive)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, posts)
}

fn traced(endpoint: String, sample_per_mille: u16) -> (Dispatch, Guard) {
    let mut config = TelemetryConfig::default();
    config.traces.otlp_endpoint = Some(endpoint);
    config.traces.sample_per_mille = sample_per_mille;
    config.traces.timeout_ms = 500;
    let telemetry = Telemetry::build(&config, false, Clock::system(), std::io::sink).unwrap();
    (telemetry.dispatch, telemetry.guard)
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// Dropping the guard waits for the last spans, so it is done where waiting is allowed.
async fn end(guard: Guard) {
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
}

#[tokio::test]
async fn spans_arrive_redacted_below_the_callers_span() {
    let (address, mut posts) = collector().await;
    let (dispatch, guard) = traced(format!("http://{address}"), 1_000);
    let parent: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        let span = tracing::info_span!("place_order", password = "hunter2", note = "for jane@example.com");
        telemetry::continue_trace(&span, parent);
        let place = telemetry::trace_of(&span).unwrap();
        assert_eq!(place.trace_id(), parent.trace_id());
        assert_ne!(place.span_id(), parent.span_id());
        span.in_scope(|| tracing::info!("paid with 4111111111111111"));
    });
    drop(dispatch);
    end(guard).await;
    let (content_type, body) = posts.recv().await.unwrap();
    assert_eq!(content_type, "application/x-protobuf");
    assert!(holds(&body, b"place_order") && holds(&body, b"paid with [card]"));
    assert!(holds(&body, &parent.trace_id().to_be_bytes()));
    assert!(holds(&body, &parent.span_id().to_be_bytes()));
    for secret in ["hunter2", "jane@", "4111111111111111"] {
        assert!(!holds(&body, secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn a_caller_that_does_not_record_is_followed_and_roots_are_sampled() {
    let (address, mut posts) = collector().await;
    let (dispatch, guard) = traced(format!("http://{address}/"), 0);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info_span!("unsampled_root").in_scope(|| ());
        let span = tracing::info_span!("callers_wish");
        telemetry::continue_trace(
            &span,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap(),
        );
        span.in_scope(|| ());
    });
    drop(dispatch);
    end(guard).await;
    let (_, body) = posts.recv().await.unwrap();
    assert!(holds(&body, b"callers_wish") && !holds(&body, b"unsampled_root"));
}

#[tokio::test]
async fn an_absent_collector_holds_nobody_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (dispatch, guard) = traced(format!("http://{address}"), 1_000);
    tracing::dispatcher::with_default(&dispatch, || {
        for _ in 0..5_000 {
            tracing::info_span!("lost").in_scope(|| ());
        }
    });
    drop(dispatch);
    tokio::time::timeout(Duration::from_secs(10), end(guard)).await.unwrap();
}

#[test]
fn nothing_is_traced_without_an_endpoint() {
    let telemetry =
        Telemetry::build(&TelemetryConfig::default(), false, Clock::system(), std::io::sink).unwrap();
    tracing::dispatcher::with_default(&telemetry.dispatch, || {
        let span = tracing::info_span!("untraced");
        assert_eq!(telemetry::trace_of(&span), None);
    });
}
