use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::words::words;

/// For how long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// Unused for so long, it is over.
    pub(crate) idle: Duration,
    /// Used or not, after so long it is over.
    pub(crate) absolute: Duration,
}

impl Lifetime {
    /// When a session that began at `began` and is used at `now` ends by itself, if it is not used again.
    pub(crate) fn ends_at(self, began: Timestamp, now: Timestamp) -> Timestamp {
        now.plus(self.idle).min(began.plus(self.absolute))
    }
}

words! {
    /// How somebody proved who they are.
    Method {
        /// By a password.
        Password = "password",
        /// By the link or code of a mail to their address.
        Verification = "verification",
    }
}

impl Method {
    /// The word for it in a token's `amr` (RFC 8176).
    pub(crate) const fn reference(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Verification => "otp",
        }
    }
}

/// What is kept of the device that a session belongs to, so that its person recognises it. Sealed
/// under the person's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// The `User-Agent`, shortened.
    pub(crate) user_agent: String,
    /// The network the person signed in from; see [`super::source::network`].
    pub(crate) network: String,
}

/// More of a `User-Agent` than this says nothing.
pub(crate) const MAX_USER_AGENT_CHARACTERS: usize = 300;

const BROWSERS: &[(&str, &str)] = &[
    // Each of these also calls itself one of those below, so the order matters.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// A name that a person recognises: `Firefox on Linux`.
    pub(crate) fn name(&self) -> String {
        let find = |table: &[(&str, &'static str)]| {
            table.iter().find(|(mark, _)| self.user_agent.contains(mark)).map(|(_, name)| *name)
        };
        match (find(BROWSERS), find(SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => "Unknown device".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_unused_and_in_any_case_in_the_end() {
        let lifetime = Lifetime { idle: Duration::from_secs(10), absolute: Duration::from_secs(25) };
        let at = Timestamp::from_seconds;
        assert_eq!(lifetime.ends_at(at(0), at(0)), at(10));
        assert_eq!(lifetime.ends_at(at(0), at(20)), at(25));
    }

    #[test]
    fn devices_have_names_that_people_know() {
        let name = |user_agent: &str| Device { user_agent: user_agent.into(), network: String::new() }.name();
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
        assert_eq!(name(firefox), "Firefox on Linux");
        assert_eq!(name(edge), "Edge on Windows");
        assert_eq!(name(iphone), "Safari on iPhone");
        assert_eq!(name("curl/8.5.0"), "curl");
        assert_eq!(name(""), "Unknown device");
    }
}
