use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{Clock, Rng, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;
use web::middleware::Observer;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status, the code and what was wrong where.
    pub(crate) fn refusal(&self) -> (u16, String, Vec<String>) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        let errors = errors.iter().map(|error| {
            format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
        });
        (self.status.as_u16(), json["code"].as_str().unwrap().to_owned(), errors.collect())
    }

    /// The status and the code.
    pub(crate) fn code(&self) -> (u16, String) {
        let (status, code, _) = self.refusal();
        (status, code)
    }
}

pub(crate) fn refusal(status: u16, code: &str, errors: &[&str]) -> (u16, String, Vec<String>) {
    (status, code.to_owned(), errors.iter().map(|&error| error.to_owned()).collect())
}

pub(crate) fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub(crate) async fn get(app: &Router, path: &str) -> Answer {
    get_with(app, path, &[]).await
}

pub(crate) async fn get_with(app: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(app, request(Method::GET, path, headers, Body::empty())).await
}

pub(crate) async fn post(app: &Router, path: &str, body: &str) -> Answer {
    send(app, request(Method::POST, path, &[("content-type", "application/json")], body.to_owned())).await
}

/// A clock that stands still in the middle of 2026.
pub(crate) fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_780_000_000))
}

pub(crate) fn observer() -> Observer {
    Observer { clock: clock(), rng: Rng::seeded(1), proxies: Default::default() }
}

/// Serves `app` on a free port of this machine until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}
