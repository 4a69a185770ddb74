use std::path::PathBuf;

use http::Uri;
use serde::Deserialize;

use super::{ConfigError, within};

/// Which new passwords are taken.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// The least score of a new password by zxcvbn, from 0 (any) to 4. Three means that more than a hundred
    /// million guesses are not enough.
    pub min_score: u8,
    /// Words that everybody would try here, such as the shop's name. The person's own are known.
    pub words: Vec<String>,
    /// A file with passwords that are refused: SHA-1 digests in hexadecimal, sorted, of any size, or
    /// passwords, one a line.
    pub list: Option<PathBuf>,
    /// A service that is asked whether a password is known from breaches; nobody is when absent.
    pub range: Option<RangeConfig>,
}

/// A service that knows breached passwords by the beginnings of their SHA-1 digests, as haveibeenpwned.com does.
/// It learns five hexadecimal digits, and neither the password nor the person. When it does not answer, the password
/// is taken.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct RangeConfig {
    /// Where it is; `/range/` and the five digits are put after it.
    pub url: String,
    /// For how long an answer is waited for.
    pub timeout_ms: u64,
    /// How many questions may be open at once; further passwords are taken unasked.
    pub concurrency: usize,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self { min_score: 3, words: Vec::new(), list: None, range: None }
    }
}

impl Default for RangeConfig {
    fn default() -> Self {
        Self { url: "https://api.pwnedpasswords.com".to_owned(), timeout_ms: 1_000, concurrency: 16 }
    }
}

/// How many words may be configured, and how long each may be.
const MAX_WORDS: (usize, usize) = (50, 50);

impl PasswordConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        within("passwords.min_score", self.min_score.into(), 0, 4)?;
        let (count, length) = MAX_WORDS;
        if self.words.len() > count || self.words.iter().any(|word| word.chars().count() > length) {
            let problem = format!("must be at most {count} words of at most {length} characters");
            return Err(ConfigError { field: "passwords.words", problem });
        }
        self.range.as_ref().map_or(Ok(()), RangeConfig::validate)
    }
}

impl RangeConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        if !self.is_confidential() {
            let problem =
                "must begin with https://; only a service on this machine may have http://".to_owned();
            return Err(ConfigError { field: "passwords.range.url", problem });
        }
        within("passwords.range.timeout_ms", self.timeout_ms, 10, 10_000)?;
        within("passwords.range.concurrency", self.concurrency as u64, 1, 1_000)
    }

    fn is_confidential(&self) -> bool {
        let Ok(url) = self.url.parse::<Uri>() else { return false };
        match (url.scheme_str(), url.host()) {
            (Some("https"), Some(_)) => true,
            (Some("http"), Some(host)) => matches!(host, "127.0.0.1" | "[::1]" | "localhost"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_field() {
        let field = |toml: &str| {
            toml::from_str::<PasswordConfig>(toml).unwrap().validate().err().map(|error| error.field)
        };
        assert_eq!(field("min_score = 5"), Some("passwords.min_score"));
        assert_eq!(field("range = { url = 'http://elsewhere.example' }"), Some("passwords.range.url"));
        assert_eq!(field("range = { url = 'ftp://127.0.0.1' }"), Some("passwords.range.url"));
        assert_eq!(field("range = { timeout_ms = 0 }"), Some("passwords.range.timeout_ms"));
        assert_eq!(field(&format!("words = ['{}']", "x".repeat(51))), Some("passwords.words"));
        assert_eq!(field("range = { url = 'http://127.0.0.1:9' }"), None);
        assert_eq!(field("range = {}"), None);
    }
}
