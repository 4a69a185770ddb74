use std::fmt::Write as _;
use std::time::Duration;

use cache::{Policy, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Problem, code};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) for what the
/// buckets said about this request.
pub fn write_rate_limit(headers: &mut HeaderMap, verdicts: &[(Policy, Verdict)]) {
    let mut policies = String::new();
    let mut limits = String::new();
    for (policy, verdict) in verdicts {
        let separator = if policies.is_empty() { "" } else { ", " };
        let name = quoted(&policy.name);
        let _ = write!(policies, "{separator}{name};q={};w={}", policy.quota, seconds(policy.window));
        let _ =
            write!(limits, "{separator}{name};r={};t={}", verdict.remaining, seconds(verdict.reset_after));
    }
    for (field, value) in [(POLICY, policies), (LIMIT, limits)] {
        if let Ok(value) = HeaderValue::try_from(value)
            && !value.is_empty()
        {
            headers.insert(field, value);
        }
    }
}

/// The problem `rate_limited` when any bucket was empty, with when the last of them will do again
/// and which policies were broken.
pub fn rate_limited(verdicts: &[(Policy, Verdict)]) -> Option<Problem> {
    let refused = || verdicts.iter().filter(|(_, verdict)| !verdict.allowed);
    let wait = refused().filter_map(|(_, verdict)| verdict.retry_after).max()?;
    let violated: Vec<&str> = refused().map(|(policy, _)| policy.name.as_ref()).collect();
    let detail = format!("Too many requests. Try again in {} seconds.", seconds(wait).max(1));
    Some(code::RATE_LIMITED.problem(detail).with("violated_policies", violated).with_retry_after(wait))
}

/// A string of RFC 9651 section 3.3.3.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(allowed: bool, wait_ms: u64) -> Verdict {
        let wait = Duration::from_millis(wait_ms);
        Verdict { allowed, remaining: 7, reset_after: wait, retry_after: (!allowed).then_some(wait) }
    }

    #[test]
    fn fields_follow_the_draft() {
        let verdicts = [
            (Policy::new("burst", 100, Duration::from_secs(60)), verdict(true, 1_500)),
            (Policy::new("daily \"free\"", 1_000, Duration::from_secs(86_400)), verdict(true, 0)),
        ];
        let mut headers = HeaderMap::new();
        write_rate_limit(&mut headers, &verdicts);
        assert_eq!(headers[POLICY], r#""burst";q=100;w=60, "daily \"free\"";q=1000;w=86400"#);
        assert_eq!(headers[LIMIT], r#""burst";r=7;t=2, "daily \"free\"";r=7;t=0"#);
        assert!(rate_limited(&verdicts).is_none());
    }

    #[test]
    fn the_longest_wait_counts() {
        let policy = |name: &'static str| Policy::new(name, 1, Duration::from_secs(1));
        let verdicts = [
            (policy("a"), verdict(false, 1_200)),
            (policy("b"), verdict(true, 9_000)),
            (policy("c"), verdict(false, 2_100)),
        ];
        let json = rate_limited(&verdicts).unwrap().to_json();
        assert_eq!(json["violated_policies"], serde_json::json!(["a", "c"]));
        assert_eq!(json["detail"], "Too many requests. Try again in 3 seconds.");
    }
}
