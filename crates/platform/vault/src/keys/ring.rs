use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Rng, Secret};
use parking_lot::RwLock;

use super::file;
use crate::config::VaultConfig;
use crate::crypto::{Binding, KeyId, MasterKey, MasterKeyId, open, seal};
use crate::error::VaultError;

/// A master key in use: what it is called, and the key derived from it that wraps other keys.
pub(crate) struct Wrapping {
    pub(crate) id: MasterKeyId,
    key: Secret<[u8; 32]>,
}

impl Wrapping {
    fn new(key: &MasterKey) -> Self {
        Self { id: key.id(), key: key.wrapping_key() }
    }

    pub(crate) fn wrap(
        &self,
        binding: Binding<'_>,
        key: &[u8; 32],
        rng: &Rng,
    ) -> Result<Vec<u8>, VaultError> {
        seal((self.id.0, self.key.expose()), binding, key, rng)
    }

    pub(crate) fn unwrap(
        &self,
        binding: Binding<'_>,
        wrapped: &[u8],
    ) -> Result<Secret<[u8; 32]>, VaultError> {
        let opened = Secret::new(open((self.id.0, self.key.expose()), binding, wrapped)?);
        let key: [u8; 32] = opened.expose().as_slice().try_into().map_err(|_| VaultError::Refused)?;
        Ok(Secret::new(key))
    }
}

/// Where master keys come from.
enum Origin {
    File(PathBuf),
    Configuration(Vec<MasterKey>),
}

/// The master keys that are at hand. Usually one; two while one is rotated.
pub(crate) struct Ring {
    origin: Origin,
    rng: Rng,
    keys: RwLock<HashMap<KeyId, Arc<Wrapping>>>,
}

impl Ring {
    /// A ring that is empty until [`Self::load`].
    pub(crate) fn new(config: &VaultConfig, data_dir: &Path, rng: Rng) -> Result<Self, VaultError> {
        let parse = |text: &Secret<String>, field| {
            let problem = "must be 32 bytes in base64 or hex";
            MasterKey::parse(text.expose()).ok_or(VaultError::Config { field, problem })
        };
        let origin = match &config.master_key {
            None => Origin::File(data_dir.join(&config.master_key_file)),
            Some(key) => {
                let others = config.other_master_keys.iter().map(|it| parse(it, "other_master_keys"));
                Origin::Configuration(
                    std::iter::once(parse(key, "master_key")).chain(others).collect::<Result<_, _>>()?,
                )
            }
        };
        Ok(Self { origin, rng, keys: RwLock::default() })
    }

    /// Loads the keys from where they come from, and returns the first. With `may_create` a key file that
    /// is not there is made; the answer says whether this call did.
    pub(crate) fn load(&self, may_create: bool) -> Result<Option<(Arc<Wrapping>, bool)>, VaultError> {
        let (keys, created) = match &self.origin {
            Origin::Configuration(keys) => (Some(keys.clone()), false),
            Origin::File(path) => match file::read(path)? {
                None if may_create => {
                    let created = file::create(path, &MasterKey::generate(&self.rng), &self.rng)?;
                    (file::read(path)?, created)
                }
                keys => (keys, false),
            },
        };
        let Some(keys) = keys else { return Ok(None) };
        let first = keys.iter().map(|key| self.add(key)).reduce(|first, _| first);
        Ok(first.map(|first| (first, created)))
    }

    /// Removes a key file that [`Self::load`] has just made.
    pub(crate) fn discard(&self) -> Result<(), VaultError> {
        match &self.origin {
            Origin::File(path) => file::remove(path),
            Origin::Configuration(_) => Ok(()),
        }
    }

    /// The key with this id. A key that is not at hand may have been put into the file since.
    pub(crate) fn get(&self, id: MasterKeyId) -> Result<Arc<Wrapping>, VaultError> {
        if let Some(key) = self.keys.read().get(&id.0) {
            return Ok(key.clone());
        }
        self.load(false)?;
        self.keys.read().get(&id.0).cloned().ok_or_else(|| VaultError::WrongMasterKey { id: id.to_string() })
    }

    /// Takes a key that is to become the active one, and sees to it that other processes and the next
    /// start find it too: it is put first in the file, or must be in the configuration already.
    pub(crate) fn introduce(&self, key: &MasterKey, active: MasterKeyId) -> Result<(), VaultError> {
        match &self.origin {
            Origin::Configuration(keys) => {
                if !keys.iter().any(|known| known.id() == key.id()) {
                    return Err(VaultError::Rotation {
                        problem: "name the new key in vault.other_master_keys of every process first",
                    });
                }
            }
            Origin::File(path) => {
                let mut keys = file::read(path)?.unwrap_or_default();
                // Were the file lost meanwhile, only the new key would be left once this process ends.
                if !keys.iter().any(|known| known.id() == active) {
                    return Err(VaultError::Rotation {
                        problem: "the key file does not hold the present key; put it back first",
                    });
                }
                keys.retain(|known| known.id() != key.id());
                keys.insert(0, key.clone());
                file::replace(path, &keys, &self.rng)?;
            }
        }
        self.add(key);
        Ok(())
    }

    /// Drops every key but this one, from the file too.
    pub(crate) fn keep_only(&self, id: MasterKeyId) -> Result<(), VaultError> {
        if let Origin::File(path) = &self.origin {
            let mut keys = file::read(path)?.unwrap_or_default();
            let before = keys.len();
            keys.retain(|known| known.id() == id);
            if !keys.is_empty() && keys.len() < before {
                file::replace(path, &keys, &self.rng)?;
            }
        }
        self.keys.write().retain(|known, _| *known == id.0);
        Ok(())
    }

    fn add(&self, key: &MasterKey) -> Arc<Wrapping> {
        self.keys.write().entry(key.id().0).or_insert_with(|| Arc::new(Wrapping::new(key))).clone()
    }
}
