use std::time::Duration;

use serde::Deserialize;

/// The section `feedback` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For how many days after an order was placed its polls may be answered.
    pub answer_days: u64,
    /// Whether a shop that starts for the first time gets a poll to ask after a purchase.
    pub default_poll: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { answer_days: 60, default_poll: true }
    }
}

/// A field of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feedback.{field}: must be between {least} and {most}, and is {value}")]
pub struct ConfigError {
    /// The field within the section `feedback`.
    pub field: &'static str,
    /// What it is.
    pub value: u64,
    /// The least it may be.
    pub least: u64,
    /// The most it may be.
    pub most: u64,
}

const SECONDS_OF_A_DAY: u64 = 86_400;

impl Config {
    /// Whether every field is usable.
    ///
    /// # Errors
    /// The first field that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (field, value, least, most) = ("answer_days", self.answer_days, 1, 3_650);
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(ConfigError { field, value, least, most })
    }

    pub(crate) const fn answer_within(&self) -> Duration {
        Duration::from_secs(self.answer_days.saturating_mul(SECONDS_OF_A_DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_faults_name_their_field() {
        Config::default().validate().unwrap();
        let config: Config = toml::from_str("answer_days = 0").unwrap();
        assert_eq!(config.validate().unwrap_err().field, "answer_days");
        assert!(toml::from_str::<Config>("answer_day = 1").is_err());
    }
}
