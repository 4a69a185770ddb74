use std::collections::HashSet;
use std::time::Duration;

use kernel::Secret;
use serde::Deserialize;

use crate::model::SERVER;

/// The section `analytics` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who may send events.
    pub sources: Vec<Source>,
    /// How long raw events are kept, in days; also how long a repeated message is known as such.
    pub keep_days: u64,
    /// How long refused events are kept, in days.
    pub keep_rejected_days: u64,
    /// Whether the sender's IP address is added to every event, and not only where a message asks for it.
    pub collect_ip: bool,
    /// Whether raw events keep the traits and IP addresses of people who are no customers, until they expire.
    pub keep_unidentified: bool,
    /// The most events of one batch.
    pub max_batch_events: usize,
}

/// Somebody who sends events: a web shop, an app, a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What the source is called in counts: 1 to 64 of `a-z`, `0-9`, `-` and `_`, and not `server`.
    pub name: String,
    /// What it proves itself with, 8 to 200 visible ASCII characters without a colon. A browser's is known to everybody.
    pub write_key: Secret<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            keep_days: 90,
            keep_rejected_days: 14,
            collect_ip: false,
            keep_unidentified: false,
            max_batch_events: 2_500,
        }
    }
}

/// A field of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("analytics.{field}: {problem}")]
pub struct ConfigError {
    /// The field within the section `analytics`.
    pub field: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Config {
    /// Whether every field is usable.
    ///
    /// # Errors
    /// The first field that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |field: &str, problem| Err(ConfigError { field: field.to_owned(), problem });
        // Phones are offline for days, and send what they hold when they are back.
        if !(7..=3_650).contains(&self.keep_days) {
            return refuse("keep_days", "must be between 7 and 3650");
        }
        if !(1..=3_650).contains(&self.keep_rejected_days) {
            return refuse("keep_rejected_days", "must be between 1 and 3650");
        }
        if !(1..=10_000).contains(&self.max_batch_events) {
            return refuse("max_batch_events", "must be between 1 and 10000");
        }
        let (mut names, mut keys) = (HashSet::new(), HashSet::new());
        for (index, source) in self.sources.iter().enumerate() {
            let at = |field: &str| format!("sources[{index}].{field}");
            if let Some(problem) = source.name_problem() {
                return refuse(&at("name"), problem);
            }
            if let Some(problem) = source.key_problem() {
                return refuse(&at("write_key"), problem);
            }
            if !names.insert(&source.name) {
                return refuse(&at("name"), "is the name of another source already");
            }
            if !keys.insert(source.write_key.expose()) {
                return refuse(&at("write_key"), "is the key of another source already");
            }
        }
        Ok(())
    }

    pub(crate) const fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days * 86_400)
    }

    pub(crate) const fn keep_rejected(&self) -> Duration {
        Duration::from_secs(self.keep_rejected_days * 86_400)
    }
}

impl Source {
    fn name_problem(&self) -> Option<&'static str> {
        let sound =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if self.name == SERVER {
            Some("`server` is the shop itself")
        } else if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(sound) {
            Some("must be 1 to 64 of a-z, 0-9, - and _")
        } else {
            None
        }
    }

    fn key_problem(&self) -> Option<&'static str> {
        let key = self.write_key.expose();
        let sound = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        let usable = (8..=200).contains(&key.len()) && key.bytes().all(sound);
        (!usable).then_some("must be 8 to 200 visible ASCII characters without a colon")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        toml::from_str::<Config>(text).unwrap().validate().unwrap_err().field
    }

    #[test]
    fn defaults_are_sound_and_faults_name_their_field() {
        Config::default().validate().unwrap();
        assert_eq!(problem("keep_days = 1"), "keep_days");
        assert_eq!(problem("max_batch_events = 0"), "max_batch_events");
        assert!(toml::from_str::<Config>("keep = 1").is_err());
    }

    #[test]
    fn sources_are_told_apart_and_never_printed() {
        let source = |name: &str, key: &str| format!("[[sources]]\nname = '{name}'\nwrite_key = '{key}'\n");
        let web = source("web", "key-of-the-web");
        assert_eq!(problem(&source("server", "key-of-the-web")), "sources[0].name");
        assert_eq!(problem(&source("web", "short")), "sources[0].write_key");
        assert_eq!(problem(&(web.clone() + &source("web", "another-key"))), "sources[1].name");
        assert_eq!(problem(&(web.clone() + &source("app", "key-of-the-web"))), "sources[1].write_key");
        let config: Config = toml::from_str(&web).unwrap();
        config.validate().unwrap();
        assert!(!format!("{config:?}").contains("key-of-the-web"));
    }
}
