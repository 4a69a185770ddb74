use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::{AnyId, Rng, Timestamp};

/// Names a request in its answer (`X-Request-Id`), in problems, in logs and in calls to other services.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

const MAX_LEN: usize = 64;

impl RequestId {
    /// A new one, `req_…`, that sorts by time.
    pub fn new(now: Timestamp, rng: &Rng) -> Self {
        Self(AnyId { prefix: "req", uuid: rng.uuid_v7(now) }.to_string().into())
    }

    /// One that somebody in front of us gave the request; `None` when it is longer than 64
    /// characters, has others than letters, digits, `.`, `_` and `-`, or is a card number: it is kept
    /// with what the request does.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let sound = (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(sound);
        (sound && !telemetry::redact::contains_card_number(text)).then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that the request layer gave; `-` in a router that runs without it.
impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("-".into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_short_plain_and_no_card() {
        for good in ["a", "req_01h455vb4pex5vsknk084sn02q", "5c0f3a52-3f6d-4d5e-9b8e-0e6f2f4f7f11"] {
            assert!(RequestId::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(MAX_LEN + 1);
        for bad in ["", "a b", "a\n", &long, "4242424242424242", "4242-4242-4242-4242"] {
            assert!(RequestId::parse(bad).is_none(), "{bad}");
        }
    }
}
