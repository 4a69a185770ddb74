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
        Self::try_open(api, token, topics, last).await.unwrap().unwrap()
    }

    /// The same on a shop that may refuse; then with the status of its answer.
    pub async fn try_open(
        api: &Api,
        token: &str,
        topics: &str,
        last: Option<&str>,
    ) -> reqwest::Result<Result<Self, u16>> {
        let mut request = api
            .http()
            .get(api.url(&format!("/v1/stream?topics={topics}")))
            .bearer_auth(token)
            .header("accept", "text/event-stream")
            .timeout(Duration::from_secs(3_600));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await?;
        if response.status() != 200 {
            return Ok(Err(response.status().as_u16()));
        }
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        Ok(Ok(Self { bytes: Box::pin(response.bytes_stream()), buffer: String::new() }))
    }

    /// The next event that is not a comment, and that `wanted` wants.
    pub async fn next(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let search = async {
            loop {
                let event = self.try_next().await.expect("the stream ended");
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), search).await.expect("no such event came")
    }

    /// The next event that is not a comment; none when the stream ended.
    pub async fn try_next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let event = parse(&block);
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let bytes = self.bytes.next().await?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
        }
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
