use std::time::Duration;

use serde::Deserialize;

/// The section `sync` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long changes stay in the log, in seconds: who was away longer gets a reset.
    pub keep_s: u64,
    /// How often the log is looked at while somebody listens, in milliseconds.
    pub poll_ms: u64,
    /// How often a quiet stream says that it is alive, in seconds.
    pub heartbeat_s: u64,
    /// How long a stream lasts before the client is sent to come back with a fresh token, in seconds.
    pub stream_s: u64,
    /// The most streams of this process.
    pub max_listeners: usize,
    /// How many changes a slow listener may be behind before it reads the log instead.
    pub listener_buffer: usize,
    /// The most changes that one who comes back is sent; who missed more gets a reset.
    pub max_replay: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep_s: 86_400,
            poll_ms: 50,
            heartbeat_s: 15,
            stream_s: 900,
            max_listeners: 20_000,
            listener_buffer: 32,
            max_replay: 10_000,
        }
    }
}

/// A field of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sync.{field}: must be between {least} and {most}, and is {value}")]
pub struct ConfigError {
    /// The field within the section `sync`.
    pub field: &'static str,
    /// What it is.
    pub value: u64,
    /// The least it may be.
    pub least: u64,
    /// The most it may be.
    pub most: u64,
}

impl Config {
    /// Whether every field is usable.
    ///
    /// # Errors
    /// The first field that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let fields = [
            ("keep_s", self.keep_s, 60, 31_536_000),
            ("poll_ms", self.poll_ms, 5, 60_000),
            ("heartbeat_s", self.heartbeat_s, 1, 60),
            ("stream_s", self.stream_s, 10, 86_400),
            ("max_listeners", count(self.max_listeners), 1, 1_000_000),
            ("listener_buffer", count(self.listener_buffer), 1, 65_536),
            ("max_replay", self.max_replay.into(), 1, 1_000_000),
        ];
        for (field, value, least, most) in fields {
            if !(least..=most).contains(&value) {
                return Err(ConfigError { field, value, least, most });
            }
        }
        Ok(())
    }

    pub(crate) const fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_s)
    }

    pub(crate) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_faults_name_their_field() {
        Config::default().validate().unwrap();
        let config: Config = toml::from_str("poll_ms = 1").unwrap();
        assert_eq!(config.validate().unwrap_err().field, "poll_ms");
        assert!(toml::from_str::<Config>("poll = 1").is_err());
    }
}
