use std::path::PathBuf;
use std::time::Duration;

use kernel::Secret;
use serde::Deserialize;

use crate::error::VaultError;

/// The section `vault`: where the master key is, and how long things are remembered.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct VaultConfig {
    /// The file that holds the master key, relative to the data folder. It is made on first start. Not
    /// looked at when `master_key` is set.
    pub master_key_file: PathBuf,
    /// The master key itself, 32 bytes in base64 or hex, where a platform hands secrets over in another way.
    pub master_key: Option<Secret<String>>,
    /// Further master keys that are accepted while one is rotated, beside `master_key`.
    pub other_master_keys: Vec<Secret<String>>,
    /// The most people whose data keys are kept in memory.
    pub cached_data_keys: u64,
    /// How old the knowledge of who was erased may be when a key in memory is used. At most 900, so that
    /// every node forgets within a second.
    pub recheck_ms: u64,
    /// How many keys one transaction of a rotation wraps anew.
    pub rotation_batch: u32,
    /// The life of keys that sign tokens.
    pub signing: SigningConfig,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            master_key_file: PathBuf::from("master.key"),
            master_key: None,
            other_master_keys: Vec::new(),
            cached_data_keys: 20_000,
            recheck_ms: 500,
            rotation_batch: 200,
            signing: SigningConfig::default(),
        }
    }
}

/// The section `vault.signing`: when keys that sign tokens come and go.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct SigningConfig {
    /// For how long a key is published before it signs. Longer than any verifier keeps the public keys.
    pub publish_before_s: u64,
    /// For how long a key stays published after the next one took over. Longer than any token lives.
    pub publish_after_s: u64,
    /// For how long a key signs before the next one is due.
    pub use_for_s: u64,
    /// How old a node's knowledge of the keys may be. Shorter than `publish_before_s`.
    pub recheck_s: u64,
}

impl Default for SigningConfig {
    fn default() -> Self {
        Self { publish_before_s: 3_600, publish_after_s: 86_400, use_for_s: 90 * 86_400, recheck_s: 60 }
    }
}

impl SigningConfig {
    pub(crate) const fn publish_before(&self) -> Duration {
        Duration::from_secs(self.publish_before_s)
    }

    pub(crate) const fn publish_after(&self) -> Duration {
        Duration::from_secs(self.publish_after_s)
    }

    pub(crate) const fn use_for(&self) -> Duration {
        Duration::from_secs(self.use_for_s)
    }

    pub(crate) const fn recheck(&self) -> Duration {
        Duration::from_secs(self.recheck_s)
    }
}

impl VaultConfig {
    /// Checks every field against its limits.
    ///
    /// # Errors
    /// [`VaultError::Config`] names the first field that is wrong.
    pub fn validate(&self) -> Result<(), VaultError> {
        let check = |sound: bool, field, problem| {
            if sound { Ok(()) } else { Err(VaultError::Config { field, problem }) }
        };
        check(
            self.master_key.is_some() || self.other_master_keys.is_empty(),
            "other_master_keys",
            "only goes with master_key; keys in a file stand below each other in that file",
        )?;
        check(
            self.master_key.is_some() || self.master_key_file.file_name().is_some(),
            "master_key_file",
            "must name a file",
        )?;
        check(
            (1..=10_000_000).contains(&self.cached_data_keys),
            "cached_data_keys",
            "must be 1 to 10000000",
        )?;
        check((1..=900).contains(&self.recheck_ms), "recheck_ms", "must be 1 to 900")?;
        check((1..=1_000).contains(&self.rotation_batch), "rotation_batch", "must be 1 to 1000")?;
        let signing = &self.signing;
        check((1..=3_600).contains(&signing.recheck_s), "signing.recheck_s", "must be 1 to 3600")?;
        check(
            signing.publish_before_s > signing.recheck_s && signing.publish_before_s <= 30 * 86_400,
            "signing.publish_before_s",
            "must be longer than recheck_s and at most 30 days",
        )?;
        check(
            (60..=365 * 86_400).contains(&signing.publish_after_s),
            "signing.publish_after_s",
            "must be a minute to a year",
        )?;
        check(
            signing.use_for_s > signing.publish_before_s && signing.use_for_s <= 10 * 365 * 86_400,
            "signing.use_for_s",
            "must be longer than publish_before_s and at most ten years",
        )
    }

    pub(crate) const fn recheck(&self) -> Duration {
        Duration::from_millis(self.recheck_ms)
    }
}
