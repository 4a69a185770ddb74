//! The section `payments` of `souk.toml`.

use std::time::Duration;

use serde::Deserialize;

use crate::model::return_url;

/// How the shop takes money.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Origins besides the shop's own that a provider may send people back to: `https://m.shop.example`.
    pub return_origins: Vec<String>,
    /// For how many days a notification is kept after it came (31 to 3,650). Providers repeat theirs for up
    /// to 30 days, and one that is kept is known when it comes again.
    pub webhook_days: u32,
    /// The background work.
    pub workers: WorkersConfig,
    /// The provider for demonstrations and tests.
    pub sandbox: SandboxConfig,
}

/// The section `payments.workers`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct WorkersConfig {
    /// How many payments are looked after at once, for each kind of work (1 to 256).
    pub concurrency: usize,
    /// The longest pause between two tries to learn what became of a payment, in seconds (1 to 86,400).
    pub max_backoff_s: u64,
}

/// The section `payments.sandbox`: a provider that moves no money. Whoever can reach the shop can buy
/// with its tokens, so a shop that is open for business turns it off.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxConfig {
    /// Whether it takes payments, answers and has its pages.
    pub enabled: bool,
    /// For how long a call to it is waited for, in milliseconds (10 to 9,000).
    pub timeout_ms: u64,
    /// How late the notifications of `tok_late_webhook` are, and the step by which those of
    /// `tok_reordered_webhooks` overtake each other, in milliseconds (1 to 3,600,000).
    pub late_webhook_ms: u64,
    /// How often it tries to deliver a notification (1 to 100).
    pub webhook_tries: u32,
}

/// A value that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payments.{field}: {reason}")]
pub struct ConfigError {
    /// Which field of the section.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            return_origins: Vec::new(),
            webhook_days: 90,
            workers: WorkersConfig::default(),
            sandbox: SandboxConfig::default(),
        }
    }
}

impl Default for WorkersConfig {
    fn default() -> Self {
        Self { concurrency: 16, max_backoff_s: 600 }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { enabled: true, timeout_ms: 2_000, late_webhook_ms: 5_000, webhook_tries: 8 }
    }
}

impl SandboxConfig {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) const fn late_webhook(&self) -> Duration {
        Duration::from_millis(self.late_webhook_ms)
    }
}

impl Config {
    /// Makes sure that every value can be meant.
    ///
    /// # Errors
    /// Names the first field that cannot.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { return_origins, webhook_days, workers, sandbox } = self;
        let rules = [
            ("return_origins", return_origins.len() <= 100, "has at most 100 origins"),
            (
                "return_origins",
                return_origins.iter().all(|origin| return_url::is_origin(origin)),
                "must be origins such as https://m.shop.example, without a path",
            ),
            ("webhook_days", (31..=3_650).contains(webhook_days), "must be 31 to 3,650"),
            ("workers.concurrency", (1..=256).contains(&workers.concurrency), "must be 1 to 256"),
            ("workers.max_backoff_s", (1..=86_400).contains(&workers.max_backoff_s), "must be 1 to 86,400"),
            // Services wait ten seconds for each other, so the provider's share is less.
            ("sandbox.timeout_ms", (10..=9_000).contains(&sandbox.timeout_ms), "must be 10 to 9,000"),
            (
                "sandbox.late_webhook_ms",
                (1..=3_600_000).contains(&sandbox.late_webhook_ms),
                "must be 1 to 3,600,000",
            ),
            ("sandbox.webhook_tries", (1..=100).contains(&sandbox.webhook_tries), "must be 1 to 100"),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, reason)) => Err(ConfigError { field, reason }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_a_bad_value_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        let config = Config { return_origins: vec!["https://shop.example/x".into()], ..Config::default() };
        assert_eq!(config.validate().unwrap_err().field, "return_origins");
        let sandbox = SandboxConfig { timeout_ms: 0, ..SandboxConfig::default() };
        let config = Config { sandbox, ..Config::default() };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "payments.sandbox.timeout_ms: must be 10 to 9,000"
        );
    }
}
