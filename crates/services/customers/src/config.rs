//! The `[customers]` section of `souk.toml`.

use std::time::Duration;

use serde::Deserialize;

use crate::model::locale::is_locale;
use crate::model::word::is_word;

/// How the shop keeps its customers.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The language of people who did not choose one, BCP 47.
    pub default_locale: String,
    /// What people can consent to: 1 to 50 words of `a` to `z`, `0` to `9` and `_`.
    pub purposes: Vec<String>,
    /// How long ago, in seconds, somebody may have signed in who erases themselves (60 to 86,400).
    pub recent_authentication_s: u64,
}

/// A value that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("customers.{field}: {reason}")]
pub struct ConfigError {
    /// Which field of the section.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_locale: "en".to_owned(),
            purposes: ["marketing_email", "analytics", "personalisation"].map(str::to_owned).to_vec(),
            recent_authentication_s: 900,
        }
    }
}

impl Config {
    /// Makes sure that every value can be meant.
    ///
    /// # Errors
    /// Names the first field that cannot.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let purposes = &self.purposes;
        let unique = purposes.iter().enumerate().all(|(index, purpose)| !purposes[..index].contains(purpose));
        let rules = [
            ("default_locale", is_locale(&self.default_locale), "must be a language tag of BCP 47"),
            ("purposes", (1..=50).contains(&purposes.len()), "must be 1 to 50"),
            ("purposes", purposes.iter().all(|purpose| is_word(purpose)), "must be words such as analytics"),
            ("purposes", unique, "must not name one twice"),
            (
                "recent_authentication_s",
                (60..=86_400).contains(&self.recent_authentication_s),
                "must be 60 to 86,400",
            ),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, reason)) => Err(ConfigError { field, reason }),
            None => Ok(()),
        }
    }

    pub(crate) const fn recent_authentication(&self) -> Duration {
        Duration::from_secs(self.recent_authentication_s)
    }

    /// The name of the purpose as it is configured.
    pub(crate) fn purpose(&self, name: &str) -> Option<&str> {
        self.purposes.iter().map(String::as_str).find(|purpose| *purpose == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_a_bad_value_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        let refused = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().unwrap_err().field
        };
        assert_eq!(refused(&|config| config.default_locale = "English".into()), "default_locale");
        assert_eq!(refused(&|config| config.purposes.clear()), "purposes");
        assert_eq!(refused(&|config| config.purposes.push("analytics".into())), "purposes");
        assert_eq!(refused(&|config| config.purposes.push("E-Mail".into())), "purposes");
        assert_eq!(refused(&|config| config.recent_authentication_s = 0), "recent_authentication_s");
    }
}
