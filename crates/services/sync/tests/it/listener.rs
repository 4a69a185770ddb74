use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::Request;
use tower::ServiceExt as _;
use web::Caller;

/// A client of a stream, which reads it as `EventSource` does.
pub struct Listener {
    body: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    buffer: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: serde_json::Value,
}

impl Listener {
    pub async fn open(router: &Router, caller: Caller, topics: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("/v1/stream?topics={topics}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(caller);
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().into_data_stream().map(|chunk| chunk.unwrap());
        Self { body: Box::pin(body), buffer: String::new() }
    }

    /// The next event; `None` when the stream ended.
    pub async fn next(&mut self) -> Option<Event> {
        let read = async {
            loop {
                while let Some(end) = self.buffer.find("\n\n") {
                    let block: String = self.buffer.drain(..end + 2).collect();
                    if block.lines().any(|line| line.starts_with("data:")) {
                        return Some(parse(&block));
                    }
                }
                self.buffer.push_str(std::str::from_utf8(&self.body.next().await?).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("nothing came")
    }

    pub async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.next().await.unwrap().kind);
        }
        kinds
    }
}

fn parse(block: &str) -> Event {
    let field = |name: &str| {
        let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_default().trim_start().to_owned()
    };
    Event { id: field("id"), kind: field("event"), data: serde_json::from_str(&field("data")).unwrap() }
}
