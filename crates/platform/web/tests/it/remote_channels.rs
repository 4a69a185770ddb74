use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get as on_get, post as on_post};
use axum::{Json, Router};
use bytes::Bytes;
use contracts::{CallError, Channel, ChannelError};
use database::consistency::{self, Position};
use http::{HeaderMap, Method, Request, StatusCode};
use kernel::{Clock, Rng, Secret, TraceContext};
use tokio::sync::Notify;
use web::auth::{InternalTokens, internal_layer};
use web::channel::{BreakerOptions, RemoteOptions, remote};
use web::{Internal, RequestContext, RequestId};

use crate::support::{clock, serve};

#[derive(Clone, Default)]
struct Calls {
    count: Arc<AtomicU32>,
    /// So many calls fail before one succeeds.
    failing: Arc<AtomicU32>,
    arrived: Arc<Notify>,
}

impl Calls {
    fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    fn fail(&self, times: u32) {
        self.failing.store(times, Ordering::SeqCst);
    }
}

async fn flaky(State(calls): State<Calls>) -> Result<Json<u32>, StatusCode> {
    let count = calls.count.fetch_add(1, Ordering::SeqCst) + 1;
    let failed = calls.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if failed.is_ok() { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(Json(count)) }
}

async fn hang(State(calls): State<Calls>) -> Json<u32> {
    calls.count.fetch_add(1, Ordering::SeqCst);
    calls.arrived.notify_one();
    std::future::pending().await
}

async fn told(caller: Internal, headers: HeaderMap) -> Json<serde_json::Value> {
    let field = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    Json(serde_json::json!({
        "caller": caller.service,
        "deadline_ms": field("souk-deadline-ms").and_then(|text| text.parse::<u64>().ok()),
        "request_id": field("x-request-id"),
        "traceparent": field("traceparent"),
    }))
}

/// Stands for a write to a database that has replicas.
async fn writes() -> Json<String> {
    let before = consistency::position().to_string();
    consistency::learn(&"catalog:2a".parse().unwrap());
    Json(before)
}

fn tokens(clock: &Clock) -> InternalTokens {
    InternalTokens::new(&Secret::new([7; 32]), clock.clone())
}

struct Fixture {
    calls: Calls,
    clock: Clock,
    url: String,
}

async fn fixture() -> Fixture {
    let (calls, clock) = (Calls::default(), clock());
    let router = Router::new()
        .route("/internal/catalog/flaky", on_get(flaky).post(flaky).put(flaky))
        .route("/internal/catalog/hang", on_get(hang).post(hang))
        .route("/internal/catalog/told", on_get(told))
        .route("/internal/catalog/writes", on_get(writes))
        .route("/internal/catalog/large", on_get(async || vec![b' '; 17 * 1024 * 1024]))
        .route("/internal/catalog/broken", on_post(async || StatusCode::INTERNAL_SERVER_ERROR))
        .with_state(calls.clone());
    let url = serve(internal_layer(router, tokens(&clock), "catalog")).await;
    Fixture { calls, clock, url }
}

impl Fixture {
    fn channel(&self, change: impl FnOnce(&mut RemoteOptions)) -> Channel {
        let mut options = RemoteOptions::new("orders", "catalog", tokens(&self.clock));
        options.backoff = Duration::from_millis(1);
        options.breaker = BreakerOptions { failures: 3, pause: Duration::from_secs(10), trials: 1 };
        change(&mut options);
        remote(&self.url, options, self.clock.clone(), Rng::seeded(1)).unwrap()
    }
}

async fn send(
    channel: &Channel,
    method: Method,
    path: &str,
    key: Option<&str>,
) -> Result<StatusCode, ChannelError> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    channel.send(request.body(Bytes::new()).unwrap()).await.map(|response| response.status())
}

fn is_unreachable(outcome: &Result<StatusCode, ChannelError>) -> bool {
    matches!(outcome, Err(ChannelError::Unreachable { .. }))
}

const FLAKY: &str = "/internal/catalog/flaky";

#[tokio::test]
async fn a_call_says_who_asks_for_whom_and_how_long_they_wait() {
    let shop = fixture().await;
    let channel = shop.channel(|_| {});
    let alone: serde_json::Value = channel.get("/internal/catalog/told").await.unwrap();
    assert_eq!((&alone["caller"], &alone["deadline_ms"]), (&"orders".into(), &5_000.into()));

    let trace: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let context = RequestContext {
        request_id: RequestId::parse("req_7").unwrap(),
        trace,
        deadline: Some(tokio::time::Instant::now() + Duration::from_secs(2)),
    };
    let within: serde_json::Value = context.scope(channel.get("/internal/catalog/told")).await.unwrap();
    assert_eq!(within["request_id"], "req_7");
    assert_eq!(within["traceparent"], trace.to_string());
    let left = within["deadline_ms"].as_u64().unwrap();
    assert!((1..=2_000).contains(&left), "{left}");
}

/// What a service wrote on somebody's behalf is known to whoever asked it to, and to whom they ask next.
#[tokio::test]
async fn how_far_a_caller_has_written_travels_along() {
    let shop = fixture().await;
    let channel = shop.channel(|_| {});
    let known: Position = "orders:10".parse().unwrap();
    let (seen, learned) = consistency::with_caller_at("cus_1", known, async {
        let seen: String = channel.get("/internal/catalog/writes").await.unwrap();
        (seen, consistency::position().to_string())
    })
    .await;
    assert_eq!(seen, "orders:10");
    assert_eq!(learned, "catalog:2a,orders:10");
}

#[tokio::test]
async fn what_may_be_asked_twice_is_tried_again() {
    let shop = fixture().await;
    let channel = shop.channel(|options| options.breaker.failures = 100);
    for (method, key) in [(Method::GET, None), (Method::PUT, None), (Method::POST, Some("k1"))] {
        shop.calls.fail(2);
        assert_eq!(send(&channel, method.clone(), FLAKY, key).await.unwrap(), 200, "{method}");
    }
    shop.calls.fail(1);
    let before = shop.calls.count();
    assert_eq!(send(&channel, Method::POST, FLAKY, None).await.unwrap(), 503);
    assert_eq!(shop.calls.count(), before + 1, "a POST without a key is sent once");
    shop.calls.fail(3);
    assert_eq!(send(&channel, Method::GET, FLAKY, None).await.unwrap(), 503, "three attempts and no more");
}

#[tokio::test]
async fn a_fault_of_the_handler_is_answered_as_it_is() {
    let shop = fixture().await;
    let channel = shop.channel(|_| {});
    for _ in 0..10 {
        let outcome = send(&channel, Method::POST, "/internal/catalog/broken", Some("k")).await;
        assert_eq!(outcome.unwrap(), 500, "and does not open the breaker");
    }
}

#[tokio::test]
async fn who_answers_too_late_may_have_done_it() {
    let shop = fixture().await;
    let channel = shop.channel(|options| options.request_timeout = Duration::from_millis(100));
    let outcome = send(&channel, Method::POST, "/internal/catalog/hang", None).await;
    assert!(matches!(outcome, Err(ChannelError::TimedOut { service }) if service == "catalog"));
    assert_eq!(shop.calls.count(), 1);
}

#[tokio::test]
async fn the_callers_own_deadline_ends_the_call_and_blames_nobody() {
    let shop = fixture().await;
    let channel = shop.channel(|options| options.breaker.failures = 1);
    let context = RequestContext {
        request_id: RequestId::parse("r").unwrap(),
        trace: TraceContext::root(false, &Rng::seeded(1)),
        deadline: Some(tokio::time::Instant::now() + Duration::from_millis(100)),
    };
    let outcome = context.scope(send(&channel, Method::GET, "/internal/catalog/hang", None)).await;
    assert!(matches!(outcome, Err(ChannelError::TimedOut { .. })));
    assert_eq!(shop.calls.count(), 1, "there was no time for another attempt");
    assert_eq!(send(&channel, Method::GET, FLAKY, None).await.unwrap(), 200, "the breaker stayed closed");
}

#[tokio::test]
async fn what_keeps_failing_is_left_alone_and_then_tried_once() {
    let shop = fixture().await;
    let channel = shop.channel(|options| options.attempts = 1);
    shop.calls.fail(4);
    for _ in 0..3 {
        assert_eq!(send(&channel, Method::GET, FLAKY, None).await.unwrap(), 503);
    }
    for _ in 0..3 {
        assert!(is_unreachable(&send(&channel, Method::GET, FLAKY, None).await));
    }
    assert_eq!(shop.calls.count(), 3, "nobody was asked while it was open");

    shop.clock.advance(Duration::from_secs(10));
    assert_eq!(send(&channel, Method::GET, FLAKY, None).await.unwrap(), 503, "the trial fails");
    assert!(is_unreachable(&send(&channel, Method::GET, FLAKY, None).await));
    shop.clock.advance(Duration::from_secs(10));
    for _ in 0..5 {
        assert_eq!(
            send(&channel, Method::GET, FLAKY, None).await.unwrap(),
            200,
            "the trial succeeds and it closes"
        );
    }
}

#[tokio::test]
async fn who_is_not_there_was_certainly_not_asked() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let clock = clock();
    let mut options = RemoteOptions::new("orders", "catalog", tokens(&clock));
    options.backoff = Duration::from_millis(1);
    let channel = remote(&format!("http://{free}"), options, clock, Rng::seeded(1)).unwrap();
    assert!(is_unreachable(&send(&channel, Method::POST, FLAKY, None).await));
}

#[tokio::test]
async fn a_service_that_goes_away_in_the_middle_may_have_done_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt as _;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    let clock = clock();
    let options = RemoteOptions::new("orders", "catalog", tokens(&clock));
    let channel = remote(&format!("http://{address}"), options, clock, Rng::seeded(1)).unwrap();
    let outcome = send(&channel, Method::POST, FLAKY, None).await;
    assert!(matches!(outcome, Err(ChannelError::TimedOut { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let shop = fixture().await;
    let error =
        shop.channel(|options| options.attempts = 1).get::<()>("/internal/catalog/large").await.unwrap_err();
    assert!(matches!(error, CallError::Channel(ChannelError::TimedOut { .. })));
}

#[tokio::test]
async fn a_caller_with_another_key_is_refused() {
    let shop = fixture().await;
    let channel = shop.channel(|options| {
        options.tokens = InternalTokens::new(&Secret::new([8; 32]), shop.clock.clone());
    });
    let error = channel.get::<u32>(FLAKY).await.unwrap_err();
    assert!(error.is("auth.token_invalid"), "{error:?}");
    assert_eq!(shop.calls.count(), 0);
}
