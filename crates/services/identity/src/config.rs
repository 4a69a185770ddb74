use std::time::Duration;

use cache::Policy;
use serde::Deserialize;

use crate::model::session::Lifetime;

mod passwords;

pub use passwords::{PasswordConfig, RangeConfig};

/// The section `identity`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How passwords are hashed.
    pub hashing: HashingConfig,
    /// Which new passwords are taken.
    pub passwords: PasswordConfig,
    /// How long an access token is good, in seconds.
    pub access_token_s: u64,
    /// Customers' sessions.
    pub customer_session: SessionConfig,
    /// Sessions of staff and sellers, who can do more and so are asked more often.
    pub staff_session: SessionConfig,
    /// How many sessions one account may have at once; the one that was unused for longest makes room.
    pub sessions_per_account: u32,
    /// What mails hold: links, and for how long they are good.
    pub links: LinkConfig,
    /// How much one source and one account may try.
    pub limits: LimitConfig,
    /// For how many days entries of the audit log are kept.
    pub audit_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hashing: HashingConfig::default(),
            passwords: PasswordConfig::default(),
            access_token_s: 300,
            customer_session: SessionConfig { idle_s: 30 * DAY, absolute_s: 365 * DAY },
            staff_session: SessionConfig { idle_s: 2 * HOUR, absolute_s: 12 * HOUR },
            sessions_per_account: 100,
            links: LinkConfig::default(),
            limits: LimitConfig::default(),
            audit_days: 400,
        }
    }
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Argon2id and the pool it runs in. The defaults are OWASP's recommendation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct HashingConfig {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes. More than one makes a hash dearer, not faster: each hash has one thread.
    pub lanes: u32,
    /// How many hashes are computed at once; zero: one less than the machine has cores, and as many as it has
    /// when that is one or two.
    pub threads: usize,
    /// The most memory that all hashes at once may take, in MiB. It limits `threads`.
    pub memory_budget_mib: u32,
    /// How many may wait for a thread.
    pub queue: usize,
    /// For how long one may wait before it is told to come back later.
    pub wait_ms: u64,
    /// The longest that checking a password against an imported hash may take, as its parameters tell.
    pub imported_limit_ms: u64,
}

impl Default for HashingConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
            threads: 0,
            memory_budget_mib: 256,
            queue: 64,
            wait_ms: 2_000,
            imported_limit_ms: 1_500,
        }
    }
}

/// How long sessions last, in seconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Unused for so long, a session is over.
    pub idle_s: u64,
    /// Used or not, after so long a session is over.
    pub absolute_s: u64,
}

impl SessionConfig {
    pub(crate) const fn lifetime(self) -> Lifetime {
        Lifetime { idle: Duration::from_secs(self.idle_s), absolute: Duration::from_secs(self.absolute_s) }
    }
}

/// The links in mails. A path is put after the public address of the shop; the token follows in the
/// fragment, which browsers send to nobody.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    /// The page that proves an address.
    pub verify_path: String,
    /// The page on which a new password is set.
    pub recover_path: String,
    /// The page on which one signs in.
    pub signin_path: String,
    /// For how long the code of a verification mail is good, in seconds.
    pub code_s: u64,
    /// For how long the link of a verification mail is good, in seconds.
    pub verify_s: u64,
    /// For how long the link of a recovery mail is good, in seconds.
    pub recover_s: u64,
    /// For how long an invitation is good, in seconds.
    pub invitation_s: u64,
    /// How many verification codes or recovery links of one address may be alive at once; no mail is sent
    /// beyond.
    pub alive: u32,
    /// A sign-in on an address that was not proved has the mail sent again, at most this often in seconds.
    pub reminder_s: u64,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            verify_path: "/account/verify".to_owned(),
            recover_path: "/account/recover".to_owned(),
            signin_path: "/account/signin".to_owned(),
            code_s: 1_800,
            verify_s: DAY,
            recover_s: 1_800,
            invitation_s: 3 * DAY,
            alive: 5,
            reminder_s: 300,
        }
    }
}

/// Rates in attempts per ten minutes. A bucket fills up by itself, so nobody is locked out for good.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// Passwords and codes tried from one source on one account; ten times as many from a source that the
    /// account was signed in from a moment ago.
    pub attempts_per_account: u32,
    /// Passwords and codes tried from one source on any account.
    pub attempts_per_source: u32,
    /// Sign-ups, recoveries and other mails asked for from one source.
    pub mails_per_source: u32,
    /// Refreshes of one session.
    pub refreshes_per_session: u32,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            attempts_per_account: 10,
            attempts_per_source: 300,
            mails_per_source: 30,
            refreshes_per_session: 120,
        }
    }
}

/// In which time an empty bucket fills up.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);

impl LimitConfig {
    pub(crate) fn per_account(&self) -> Policy {
        Policy::new("identity.account", self.attempts_per_account, WINDOW)
    }

    /// For a source that the account was signed in from within the window.
    pub(crate) fn per_account_familiar(&self) -> Policy {
        Policy::new("identity.account_familiar", self.attempts_per_account.saturating_mul(10), WINDOW)
    }

    pub(crate) fn per_source(&self) -> Policy {
        Policy::new("identity.source", self.attempts_per_source, WINDOW)
    }

    pub(crate) fn mails(&self) -> Policy {
        Policy::new("identity.mails", self.mails_per_source, WINDOW)
    }

    pub(crate) fn refreshes(&self) -> Policy {
        Policy::new("identity.refreshes", self.refreshes_per_session, WINDOW)
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity.{field}: {problem}")]
pub struct ConfigError {
    /// The field of the section `identity`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Config {
    /// Checks every field against its limits.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("access_token_s", self.access_token_s, 30, HOUR)?;
        within("sessions_per_account", self.sessions_per_account.into(), 1, 10_000)?;
        within("audit_days", self.audit_days.into(), 1, 3_650)?;
        self.hashing.validate()?;
        self.passwords.validate()?;
        for (field, session) in
            [("customer_session.idle_s", self.customer_session), ("staff_session.idle_s", self.staff_session)]
        {
            within(field, session.idle_s, 60, 10 * 365 * DAY)?;
            if session.absolute_s < session.idle_s {
                let problem = "must not be longer than absolute_s".to_owned();
                return Err(ConfigError { field, problem });
            }
        }
        self.links.validate()?;
        within("limits.attempts_per_account", self.limits.attempts_per_account.into(), 1, 100_000)?;
        within("limits.attempts_per_source", self.limits.attempts_per_source.into(), 1, 1_000_000)?;
        within("limits.mails_per_source", self.limits.mails_per_source.into(), 1, 1_000_000)?;
        within("limits.refreshes_per_session", self.limits.refreshes_per_session.into(), 2, 1_000_000)
    }

    pub(crate) const fn access_token(&self) -> Duration {
        Duration::from_secs(self.access_token_s)
    }
}

impl HashingConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        within("hashing.lanes", self.lanes.into(), 1, 16)?;
        within("hashing.memory_kib", self.memory_kib.into(), 8 * u64::from(self.lanes), 4 << 20)?;
        within("hashing.passes", self.passes.into(), 1, 1_000)?;
        within("hashing.threads", self.threads as u64, 0, 1_024)?;
        within("hashing.memory_budget_mib", self.memory_budget_mib.into(), 1, 1 << 20)?;
        if u64::from(self.memory_kib) > u64::from(self.memory_budget_mib) * 1_024 {
            let problem = "must have room for one hash of memory_kib".to_owned();
            return Err(ConfigError { field: "hashing.memory_budget_mib", problem });
        }
        within("hashing.queue", self.queue as u64, 1, 100_000)?;
        within("hashing.wait_ms", self.wait_ms, 1, 60_000)?;
        within("hashing.imported_limit_ms", self.imported_limit_ms, 10, 60_000)
    }
}

impl LinkConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        for (field, path) in [
            ("links.verify_path", &self.verify_path),
            ("links.recover_path", &self.recover_path),
            ("links.signin_path", &self.signin_path),
        ] {
            if !path.starts_with('/') || path.contains(['#', ' ', '"', '<', '>']) {
                let problem = "must be a path that begins with / and has no fragment".to_owned();
                return Err(ConfigError { field, problem });
            }
        }
        within("links.code_s", self.code_s, 60, DAY)?;
        within("links.verify_s", self.verify_s, self.code_s, 30 * DAY)?;
        within("links.recover_s", self.recover_s, 60, DAY)?;
        within("links.invitation_s", self.invitation_s, 60, 30 * DAY)?;
        within("links.alive", self.alive.into(), 1, 100)?;
        within("links.reminder_s", self.reminder_s, 1, DAY)
    }
}

fn within(field: &'static str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { field, problem: format!("must be between {least} and {most}, and is {value}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_follow_owasp() {
        let config = Config::default();
        config.validate().unwrap();
        let HashingConfig { memory_kib, passes, lanes, .. } = config.hashing;
        assert_eq!((memory_kib, passes, lanes), (19_456, 2, 1));
    }

    #[test]
    fn faults_name_their_field() {
        let field = |toml: &str| toml::from_str::<Config>(toml).unwrap().validate().unwrap_err().field;
        assert_eq!(field("access_token_s = 0"), "access_token_s");
        assert_eq!(field("hashing = { memory_budget_mib = 10 }"), "hashing.memory_budget_mib");
        assert_eq!(field("staff_session = { idle_s = 100, absolute_s = 99 }"), "staff_session.idle_s");
        assert_eq!(field("links = { verify_path = 'https://elsewhere' }"), "links.verify_path");
        assert!(toml::from_str::<Config>("acces_token_s = 300").is_err());
    }
}
