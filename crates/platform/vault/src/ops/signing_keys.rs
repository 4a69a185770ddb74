use std::fmt;
use std::sync::Arc;

use database::Tx;
use kernel::{Secret, Timestamp};

use crate::crypto::Binding;
use crate::error::VaultError;
use crate::signing::{SigningKey, current, is_due, published};
use crate::store::masters;
use crate::store::signing_keys::{self, StoredSigningKey};
use crate::vault::Vault;

/// How often making a key starts over because the master key was exchanged meanwhile.
const ATTEMPTS: usize = 3;

/// The keys that sign tokens for one purpose, as [`Vault::signing_keys`] gives them out.
#[derive(Clone)]
pub struct SigningKeys {
    vault: Vault,
    purpose: &'static str,
}

/// The keys of one purpose, as they were read from the database.
pub(crate) struct KeySet {
    read_at: Timestamp,
    keys: Vec<Arc<SigningKey>>,
}

impl SigningKeys {
    pub(crate) const fn new(vault: Vault, purpose: &'static str) -> Self {
        Self { vault, purpose }
    }

    /// The key to sign with now. The first call of all makes it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn current(&self) -> Result<Arc<SigningKey>, VaultError> {
        let set = self.key_set().await?;
        if let Some(key) = current(&set.keys, self.now()) {
            return Ok(key.clone());
        }
        self.add(Addition::First).await?;
        let set = self.key_set().await?;
        current(&set.keys, self.now()).cloned().ok_or(VaultError::Database(database::Error::Conflict))
    }

    /// The keys that a verifier must know: the one that signs, the next one, and those that signed tokens
    /// which may still be about.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn public(&self) -> Result<Vec<Arc<SigningKey>>, VaultError> {
        self.current().await?;
        let set = self.key_set().await?;
        Ok(published(&set.keys, self.now(), &self.vault.inner.config.signing).cloned().collect())
    }

    /// The public halves of [`Self::public`] as a JSON Web Key Set (RFC 7517).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn jwks(&self) -> Result<serde_json::Value, VaultError> {
        let keys: Vec<_> = self.public().await?.iter().map(|key| key.to_jwk()).collect();
        Ok(serde_json::json!({ "keys": keys }))
    }

    /// Makes the next key and publishes it at once. It takes over after `publish_before_s`, and the one
    /// that it replaces stays published for `publish_after_s` more. When the next key is there already,
    /// this returns it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rotate(&self) -> Result<Arc<SigningKey>, VaultError> {
        self.current().await?;
        self.add(Addition::Next).await?;
        let set = self.key_set().await?;
        set.keys.last().cloned().ok_or(VaultError::Database(database::Error::Conflict))
    }

    /// Rotates when the current key has been used for its time. Call it every now and then, from anywhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rotate_if_due(&self) -> Result<(), VaultError> {
        self.current().await?;
        let set = self.key_set().await?;
        if is_due(&set.keys, self.now(), &self.vault.inner.config.signing) {
            self.rotate().await?;
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.vault.inner.clock.now()
    }

    async fn key_set(&self) -> Result<Arc<KeySet>, VaultError> {
        let inner = &self.vault.inner;
        let now = self.now();
        let known = inner.signing.lock().get(self.purpose).cloned();
        let is_fresh =
            |set: &KeySet| set.read_at <= now && now < set.read_at.plus(inner.config.signing.recheck());
        if let Some(set) = known.filter(|set| is_fresh(set)) {
            return Ok(set);
        }
        let stored = signing_keys::find(&mut *inner.db.read_primary().await?, self.purpose).await?;
        let keys = stored
            .into_iter()
            .map(|key| {
                let secret = inner
                    .ring
                    .get(key.master)?
                    .unwrap(Binding::SigningKey { kid: &key.kid }, &key.wrapped)?;
                Ok(Arc::new(SigningKey::new(&secret, key.active_from)))
            })
            .collect::<Result<_, VaultError>>()?;
        let set = Arc::new(KeySet { read_at: now, keys });
        inner.signing.lock().insert(self.purpose, set.clone());
        Ok(set)
    }

    async fn add(&self, addition: Addition) -> Result<(), VaultError> {
        let inner = &self.vault.inner;
        for _ in 0..ATTEMPTS {
            self.vault.renew().await?;
            let (row, now) = (self.generate(addition)?, self.now());
            let row = &row;
            let added = inner.db.write(|mut tx| async move {
                if masters::active(&mut tx).await? != Some(row.master) {
                    return tx.rollback(false).await;
                }
                self.insert(&mut tx, addition, row, now).await?;
                tx.commit(true).await
            });
            if added.await? {
                inner.signing.lock().remove(self.purpose);
                return Ok(());
            }
            inner.watch.distrust();
        }
        Err(database::Error::Conflict.into())
    }

    fn generate(&self, addition: Addition) -> Result<StoredSigningKey, VaultError> {
        let inner = &self.vault.inner;
        let wrapping = inner.ring.get(inner.watch.master())?;
        let secret = Secret::new(inner.rng.bytes::<32>());
        let active_from = match addition {
            Addition::First => self.now(),
            Addition::Next => self.now().plus(inner.config.signing.publish_before()),
        };
        let key = SigningKey::new(&secret, active_from);
        Ok(StoredSigningKey {
            kid: key.kid().to_owned(),
            purpose: self.purpose.to_owned(),
            public_key: key.public_key(),
            wrapped: wrapping.wrap(Binding::SigningKey { kid: key.kid() }, secret.expose(), &inner.rng)?,
            master: wrapping.id,
            active_from,
        })
    }

    /// Inserts the key unless another process was faster, and deletes those that nobody needs any more.
    async fn insert(
        &self,
        tx: &mut Tx,
        addition: Addition,
        row: &StoredSigningKey,
        now: Timestamp,
    ) -> Result<(), database::Error> {
        let stored = signing_keys::find(tx, self.purpose).await?;
        let is_there = match addition {
            Addition::First => current(&stored, now).is_some(),
            Addition::Next => stored.last().is_some_and(|newest| newest.active_from > now),
        };
        if is_there {
            return Ok(());
        }
        signing_keys::insert(tx, row, now).await?;
        let config = &self.vault.inner.config.signing;
        let kept: Vec<&str> = published(&stored, now, config).map(|key| key.kid.as_str()).collect();
        for key in stored.iter().filter(|key| !kept.contains(&key.kid.as_str())) {
            signing_keys::delete(tx, &key.kid).await?;
        }
        Ok(())
    }
}

/// Which key is added.
#[derive(Clone, Copy)]
enum Addition {
    /// The first of its purpose: it signs at once, for nobody could have verified anything before it.
    First,
    /// One that is published first.
    Next,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}
