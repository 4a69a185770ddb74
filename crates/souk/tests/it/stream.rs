//! Reads server-sent events as a browser does.

use std::time::Duration;

use futures_util::StreamExt as _;

use crate::api::Api;

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: String,
}

/// An open stream.
pub struct Stream {
    bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
}

impl Stream {
    /// Opens the stream of `topics`, after the event `last` when there was one.
    pub async fn open(api: &Api, token: &str, topics: &str, last: Option<&str>) -> Self {
        let mut request = api
            .http()
            .get(api.url(&format!("/v1/stream?topics={topics}")))
            .bearer_auth(token)
            .header("accept", "text/event-stream")
            .timeout(Duration::from_secs(120));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        Self { bytes: Box::pin(response.bytes_stream()), buffer: String::new() }
    }

    /// The next event that is not a comment, and that `wanted` wants.
    pub async fn next(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let search = async {
            loop {
                while let Some(end) = self.buffer.find("\n\n") {
                    let block: String = self.buffer.drain(..end + 2).collect();
                    let event = parse(&block);
                    if !event.data.is_empty() && wanted(&event) {
                        return event;
                    }
                }
                let bytes = self.bytes.next().await.expect("the stream ended").unwrap();
                self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), search).await.expect("no such event came")
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(':') {
            Some(("id", value)) => event.id = value.trim_start().to_owned(),
            Some(("event", value)) => event.kind = value.trim_start().to_owned(),
            Some(("data", value)) => event.data.push_str(value.trim_start()),
            _ => {}
        }
    }
    event
}
