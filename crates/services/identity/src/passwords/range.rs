use std::time::Duration;

use reqwest::{Client, Response};
use tokio::sync::Semaphore;

use crate::config::RangeConfig;

/// A service that is told the first five digits of a SHA-1 digest and answers with the rest of all digests
/// that it knows and that begin so.
pub(super) struct Range {
    client: Client,
    url: String,
    open: Semaphore,
}

/// Why the service cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RangeError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The client cannot be made.
    #[error("no HTTP client can be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Why a question came to nothing.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("too many questions are open")]
    Busy,
    #[error("it answered with {0}")]
    Status(u16),
    #[error("its answer is too long")]
    TooLong,
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// How many digits the service learns.
const PREFIX: usize = 5;

/// An answer with padding has some forty kilobytes.
const MAX_ANSWER: usize = 1 << 20;

impl Range {
    pub(super) fn new(config: &RangeConfig) -> Result<Self, RangeError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = rustls::crypto::ring::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_millis(config.timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("souk")
            .build()?;
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(Self { client, url, open: Semaphore::new(config.concurrency) })
    }

    /// Whether the service knows the digest. A service that does not answer in time knows nothing: it must not
    /// be able to keep people from setting a password.
    pub(super) async fn knows(&self, sha1: &[u8; 20]) -> bool {
        let digest: String = sha1.iter().map(|byte| format!("{byte:02X}")).collect();
        let outcome = self.ask(&digest).await;
        let label = match &outcome {
            Ok(true) => "known",
            Ok(false) => "unknown",
            Err(_) => "failed",
        };
        metrics::counter!("identity_password_range_total", "outcome" => label).increment(1);
        outcome.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the service of breached passwords did not answer; the password is taken");
            false
        })
    }

    async fn ask(&self, digest: &str) -> Result<bool, Unanswered> {
        let _permit = self.open.try_acquire().map_err(|_| Unanswered::Busy)?;
        let (prefix, rest) = digest.split_at(PREFIX);
        // With padding, the length of the answer does not tell an eavesdropper which digits were asked for.
        let request = self.client.get(format!("{}/range/{prefix}", self.url)).header("Add-Padding", "true");
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Unanswered::Status(response.status().as_u16()));
        }
        Ok(lists(&text(response).await?, rest))
    }
}

async fn text(mut response: Response) -> Result<Vec<u8>, Unanswered> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Unanswered::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whether a line of the answer is the rest of the digest, seen at least once: padding has a count of nought.
fn lists(answer: &[u8], rest: &str) -> bool {
    answer.split(|byte| *byte == b'\n').any(|line| {
        let line = String::from_utf8_lossy(line);
        line.trim()
            .split_once(':')
            .is_some_and(|(known, count)| known.eq_ignore_ascii_case(rest) && count != "0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_told_from_what_is_known() {
        let rest = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
        let other = "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n";
        assert!(lists(format!("{other}{rest}:3861493\r\n").as_bytes(), rest));
        assert!(lists(format!("{}:1", rest.to_lowercase()).as_bytes(), rest));
        assert!(!lists(format!("{other}{rest}:0\r\n").as_bytes(), rest));
        assert!(!lists(other.as_bytes(), rest));
        assert!(!lists(b"<html>\xff</html>", rest));
    }
}
