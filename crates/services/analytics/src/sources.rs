//! Who may send events, and how they prove it.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use crate::config;

/// The sources by the hash of their keys: looking a key up tells nothing about those that exist by the time it takes.
#[derive(Debug)]
pub(crate) struct Sources(HashMap<[u8; 32], Arc<str>>);

impl Sources {
    pub(crate) fn new(sources: &[config::Source]) -> Self {
        Self(
            sources
                .iter()
                .map(|source| (hash(source.write_key.expose()), source.name.as_str().into()))
                .collect(),
        )
    }

    /// The name of the source that `write_key` belongs to.
    pub(crate) fn find(&self, write_key: &str) -> Option<Arc<str>> {
        self.0.get(&hash(write_key)).cloned()
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The key of a request's `Authorization`: the user of Basic, with or without the colon, or the Bearer token.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    Some(decoded.split(':').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(field: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, field.parse().unwrap());
        authorization(&headers)
    }

    #[test]
    fn every_form_that_libraries_send_is_read() {
        let basic = |text: &str| key(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(basic("the-key:").as_deref(), Some("the-key"));
        assert_eq!(basic("the-key").as_deref(), Some("the-key"));
        assert_eq!(key("bearer the-key").as_deref(), Some("the-key"));
        assert_eq!(key("Basic ***"), None);
        assert_eq!(key("Digest the-key"), None);
        assert_eq!(authorization(&HeaderMap::new()), None);
    }
}
