//! A client that holds every answer against the API document.

use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::document::Document;

/// Speaks to one shop.
#[derive(Clone)]
pub struct Api {
    base: String,
    http: Client,
    document: Document,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

/// A request that is being put together.
pub struct Call<'a> {
    api: &'a Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Value>,
    /// A body that is no JSON, or not meant to be any.
    text: Option<String>,
}

impl Api {
    pub fn new(base: String) -> Self {
        // The first to need TLS in this process, and every other, takes the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { base, http, document: Document::default() }
    }

    /// From now on every answer must be one that the shop's own document promises.
    pub async fn read_document(&mut self) {
        let answer = self.get("/openapi.json").send().await;
        assert_eq!(answer.status, 200);
        self.document = Document::new(answer.body);
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn http(&self) -> &Client {
        &self.http
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Call<'_> {
        self.call(Method::POST, path).body(body)
    }

    pub fn put(&self, path: &str, body: Value) -> Call<'_> {
        self.call(Method::PUT, path).body(body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Call<'_> {
        self.call(Method::PATCH, path).body(body)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        // What the shop hands out as a whole address is called by its path.
        let path = path.strip_prefix(&self.base).unwrap_or(path).to_owned();
        Call { api: self, method, path, headers: HeaderMap::new(), body: None, text: None }
    }

    /// Asks again and again until `done`, for what becomes true by itself within seconds.
    pub async fn until(&self, path: &str, token: &str, done: impl Fn(&Value) -> bool) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path).bearer(token).send().await;
            if answer.status == 200 && done(&answer.body) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} did not become what was expected: {}", answer.text);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Call<'_> {
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends `text` as it is.
    pub fn text(mut self, media_type: &str, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self.header("content-type", media_type)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    /// Sends it to a shop that may be away; an answer that comes must be a good one all the same.
    pub async fn try_send(self) -> reqwest::Result<Answer> {
        let mut request =
            self.api.http.request(self.method.clone(), self.api.url(&self.path)).headers(self.headers);
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        if let Some(text) = &self.text {
            request = request.body(text.clone());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        assert!(headers.contains_key("x-request-id"), "{} {} has no request id", self.method, self.path);
        if status >= 400 {
            assert_eq!(
                headers["content-type"], "application/problem+json",
                "{} {}: {text}",
                self.method, self.path
            );
            for member in ["type", "title", "status", "detail", "code", "request_id"] {
                assert!(body.get(member).is_some(), "a problem without {member}: {text}");
            }
        }
        let path = self.path.split('?').next().unwrap();
        self.api.document.check(self.method.as_str(), path, status, &body);
        Ok(Answer { status, headers, body, text })
    }

    /// Sends it and fails unless the answer has `status`.
    pub async fn expect(self, status: u16) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        let answer = self.send().await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        answer
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn str(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
    }
}
