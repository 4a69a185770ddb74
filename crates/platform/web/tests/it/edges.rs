use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get as on_get, post as on_post};
use http::Method;
use tokio::sync::Notify;
use web::middleware::{Standard, standard};
use web::{ClientAddress, Handled, Network, Problem, RequestContext, RequestId, ValidJson, Validate};

use crate::support::{code, get, get_with, observer, post, request, send};

#[derive(Debug, thiserror::Error)]
#[error("the disk at /var/lib/secret is full")]
struct DiskFull;

#[derive(serde::Deserialize)]
struct Anything {}

impl Validate for Anything {}

async fn fail() -> Handled<()> {
    Err(Problem::internal(DiskFull))
}

fn app(change: impl FnOnce(&mut Standard)) -> Router {
    let router = Router::new()
        .route("/things/{id}", on_get(async |id: RequestId| id.to_string()))
        .route("/fail", on_get(fail))
        .route("/panic", on_get(async || -> String { panic!("on purpose, with a secret") }))
        .route("/hang", on_get(async || std::future::pending::<String>().await))
        .route("/body", on_post(async |ValidJson(Anything {}): ValidJson<Anything>| "read"))
        .route("/address", on_get(async |ClientAddress(address): ClientAddress| address.to_string()))
        .route(
            "/left",
            on_get(async || {
                let left = RequestContext::current().and_then(|context| context.time_left());
                left.map_or_else(String::new, |left| left.as_millis().to_string())
            }),
        );
    let mut options = Standard::new(observer());
    change(&mut options);
    standard(router, options)
}

#[tokio::test]
async fn every_answer_has_its_request_id_and_so_has_every_problem() {
    let app = app(|_| {});
    let answer = get(&app, "/things/1").await;
    let id = answer.header("x-request-id").unwrap();
    assert!(id.starts_with("req_"), "{id}");
    assert_eq!(answer.text(), id);

    let given = get_with(&app, "/nowhere", &[("x-request-id", "from-the-balancer.1")]).await;
    assert_eq!(given.code(), code(404, "request.not_found"));
    assert_eq!(given.header("x-request-id"), Some("from-the-balancer.1"));
    assert_eq!(given.json()["request_id"], "from-the-balancer.1");

    let long = "a".repeat(65);
    for forged in ["two words", "<script>", long.as_str()] {
        let answer = get_with(&app, "/things/1", &[("x-request-id", forged)]).await;
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"), "{forged}");
    }
}

#[tokio::test]
async fn a_problem_document_is_whole() {
    let answer = get_with(&app(|_| {}), "/nowhere", &[("x-request-id", "r1")]).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "code": "request.not_found",
      "detail": "There is nothing at this address. The API document at /docs lists all of them.",
      "request_id": "r1",
      "status": 404,
      "title": "Not found",
      "type": "/docs/errors/request.not_found"
    }
    "#);
}

#[tokio::test]
async fn another_method_is_a_problem_that_lists_the_right_ones() {
    let answer = send(&app(|_| {}), request(Method::DELETE, "/things/1", &[], "")).await;
    assert_eq!(answer.code(), code(405, "request.method_not_allowed"));
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn faults_and_panics_tell_nothing() {
    let app = app(|_| {});
    for path in ["/fail", "/panic"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.code(), code(500, "internal"));
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_in_time_or_not_at_all() {
    let app = app(|options| options.timeout = Duration::from_secs(3));
    let began = tokio::time::Instant::now();
    assert_eq!(get(&app, "/hang").await.code(), code(504, "request.timeout"));
    assert_eq!(began.elapsed(), Duration::from_secs(3));

    let began = tokio::time::Instant::now();
    assert_eq!(
        get_with(&app, "/hang", &[("souk-deadline-ms", "500")]).await.code(),
        code(504, "request.timeout")
    );
    assert_eq!(began.elapsed(), Duration::from_millis(500), "the caller waits no longer than it said");

    assert_eq!(get(&app, "/left").await.text(), "3000");
    assert_eq!(get_with(&app, "/left", &[("souk-deadline-ms", "500")]).await.text(), "500");
    assert_eq!(get_with(&app, "/left", &[("souk-deadline-ms", "99999999")]).await.text(), "3000");
}

#[tokio::test]
async fn too_much_at_once_is_refused_and_the_place_is_free_again() {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, go_on) = (Arc::clone(&entered), Arc::clone(&go_on));
        async move || {
            entered.notify_one();
            go_on.notified().await;
            "done"
        }
    };
    let router = Router::new().route("/slow", on_get(handler)).route("/fast", on_get(async || "fast"));
    let app = standard(router, Standard { max_in_flight: 1, ..Standard::new(observer()) });
    let slow = tokio::spawn({
        let app = app.clone();
        async move { get(&app, "/slow").await }
    });
    entered.notified().await;
    let refused = get(&app, "/fast").await;
    assert_eq!(refused.code(), code(503, "request.overloaded"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    go_on.notify_one();
    assert_eq!(slow.await.unwrap().text(), "done");
    assert_eq!(get(&app, "/fast").await.text(), "fast");
}

#[tokio::test]
async fn bodies_are_bounded() {
    let app = app(|options| options.body_limit = 100);
    assert_eq!(post(&app, "/body", "{}").await.text(), "read");
    let large = format!("{{{}}}", " ".repeat(100));
    assert_eq!(post(&app, "/body", &large).await.code(), code(413, "request.too_large"));
}

#[tokio::test]
async fn the_client_is_whom_a_trusted_proxy_names() {
    let peer: std::net::SocketAddr = "10.0.0.1:5000".parse().unwrap();
    let forwarded = [("x-forwarded-for", "198.51.100.1")];
    let believing = app(|options| {
        options.observer.proxies = ["10.0.0.0/8".parse::<Network>().unwrap()].into_iter().collect();
    });
    for (app, expected) in [(believing, "198.51.100.1"), (app(|_| {}), "10.0.0.1")] {
        let mut request = request(Method::GET, "/address", &forwarded, "");
        request.extensions_mut().insert(ConnectInfo(peer));
        assert_eq!(send(&app, request).await.text(), expected);
    }
}

/// One line per request with what is needed to find it, and none of the path's ids; one line with
/// the causes per fault.
#[tokio::test]
async fn the_log_has_one_line_per_request_and_one_per_fault() {
    let work = async || {
        let app = app(|_| {});
        get_with(&app, "/things/ord_42", &[("x-request-id", "r1")]).await;
        get_with(&app, "/fail", &[("x-request-id", "r2")]).await;
    };
    // A place that logs and was first passed by a test without a subscriber may have concluded
    // that nobody listens; once all are known they are asked again.
    captured(async {
        work().await;
        tracing::callsite::rebuild_interest_cache();
    })
    .await;
    let lines = captured(work()).await;
    let access: Vec<_> = lines.iter().filter(|line| line.contains(" access:")).collect();
    assert_eq!(access.len(), 2, "{lines:?}");
    assert!(
        access[0].contains("request_id=\"r1\"") && access[0].contains("route=\"/things/{id}\""),
        "{access:?}"
    );
    assert!(access[0].contains("status=200") && access[0].contains("trace_id="), "{access:?}");
    assert!(!lines.iter().any(|line| line.contains("ord_42")), "{lines:?}");
    let faults: Vec<_> = lines.iter().filter(|line| line.contains("the disk")).collect();
    assert_eq!(faults.len(), 1, "{lines:?}");
    assert!(faults[0].contains("ERROR") && faults[0].contains("request_id=\"r2\""), "{faults:?}");
}

/// A caller that goes away takes its work along, and the log says so.
#[tokio::test]
async fn a_request_that_nobody_waits_for_leaves_its_line_too() {
    let work = async || {
        let app = app(|_| {});
        let request = get_with(&app, "/hang", &[("x-request-id", "r3")]);
        let gone = tokio::time::timeout(Duration::from_millis(10), request).await;
        assert!(gone.is_err());
    };
    captured(async {
        work().await;
        tracing::callsite::rebuild_interest_cache();
    })
    .await;
    let lines = captured(work()).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("status=499") && lines[0].contains("request_id=\"r3\""), "{lines:?}");
}

async fn captured(work: impl Future<Output = ()>) -> Vec<String> {
    use tracing::instrument::WithSubscriber as _;
    #[derive(Clone, Default)]
    struct Buffer(Arc<parking_lot::Mutex<Vec<u8>>>);
    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    work.with_subscriber(subscriber).await;
    let text = String::from_utf8(buffer.0.lock().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}
