use crate::crypto::{Binding, MasterKey, MasterKeyId};
use crate::error::VaultError;
use crate::keys::Wrapping;
use crate::store::data_keys::NewDataKey;
use crate::store::signing_keys::StoredSigningKey;
use crate::store::{data_keys, masters, roots, signing_keys};
use crate::vault::Vault;

/// What a rotation of the master key did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// How many keys this call wrapped anew.
    pub rewrapped: u64,
    /// How many master keys it retired: they wrap nothing any more and can be thrown away.
    pub retired: u64,
}

impl Vault {
    /// Replaces the master key. From the first moment on new keys are wrapped by `new`; then every key is
    /// wrapped anew, in batches, while the vault stays in use; at the end the old one is retired. What was
    /// sealed, indexed or derived is not touched and stays valid.
    ///
    /// A key in a file is put into the file before it is used, and the old one is taken out at the end. A
    /// configured key must be in the configuration of every process beforehand. When it is interrupted,
    /// call it again with the same key, or [`Self::resume_rotation`].
    ///
    /// # Errors
    /// [`VaultError::Rotation`] when it cannot begin.
    pub async fn rotate_master(&self, new: &MasterKey) -> Result<Rotated, VaultError> {
        let id = new.id();
        if masters::is_retired(&mut *self.inner.db.read_primary().await?, id).await? {
            return Err(VaultError::Rotation { problem: "this key was replaced before; take a new one" });
        }
        self.inner.watch.distrust();
        self.renew().await?;
        self.inner.ring.introduce(new, self.inner.watch.master())?;
        let now = self.inner.clock.now();
        self.inner
            .db
            .write(|mut tx| async move {
                if masters::active(&mut tx).await? != Some(id) {
                    masters::activate(&mut tx, id, now).await?;
                }
                tx.commit(()).await
            })
            .await
            .map_err(VaultError::Database)?;
        self.inner.watch.distrust();
        self.resume_rotation().await
    }

    /// Goes on with a rotation that was interrupted; does nothing when there is none.
    ///
    /// # Errors
    /// [`VaultError::WrongMasterKey`] when the old key is not at hand any more.
    pub async fn resume_rotation(&self) -> Result<Rotated, VaultError> {
        self.renew().await?;
        let wrapping = self.inner.ring.get(self.inner.watch.master())?;
        let rewrapped = self.rewrap_root(&wrapping).await?
            + self.rewrap_signing_keys(&wrapping).await?
            + self.rewrap_data_keys(&wrapping).await?;
        let retired = self
            .inner
            .db
            .write(|mut tx| async move {
                let retired = masters::retire_unused(&mut tx).await?;
                tx.commit(retired).await
            })
            .await
            .map_err(VaultError::Database)?;
        let in_use = masters::in_use(&mut *self.inner.db.read_primary().await?).await?;
        if in_use == [wrapping.id] {
            self.inner.ring.keep_only(wrapping.id)?;
        }
        Ok(Rotated { rewrapped, retired })
    }

    async fn rewrap_root(&self, wrapping: &Wrapping) -> Result<u64, VaultError> {
        let stored = roots::find(&mut *self.inner.db.read_primary().await?).await?;
        let Some((wrapped, _)) = stored.filter(|(_, master)| *master != wrapping.id) else { return Ok(0) };
        let wrapped = &self.rewrap(wrapping, Binding::Root, &wrapped)?;
        let master = wrapping.id;
        let write = self.inner.db.write(|mut tx| async move {
            roots::upsert(&mut tx, wrapped, master).await?;
            tx.commit(1).await
        });
        write.await.map_err(VaultError::Database)
    }

    async fn rewrap_signing_keys(&self, wrapping: &Wrapping) -> Result<u64, VaultError> {
        let mut reader = self.inner.db.read_primary().await?;
        let stored = signing_keys::find_wrapped_otherwise(&mut reader, wrapping.id).await?;
        drop(reader);
        let keys: Vec<StoredSigningKey> = stored
            .into_iter()
            .map(|key| {
                let wrapped = self.rewrap(wrapping, Binding::SigningKey { kid: &key.kid }, &key.wrapped)?;
                Ok(StoredSigningKey { wrapped, master: wrapping.id, ..key })
            })
            .collect::<Result<_, VaultError>>()?;
        let keys = keys.as_slice();
        let write = self.inner.db.write(|mut tx| async move {
            let mut rewrapped = 0;
            for key in keys {
                rewrapped += signing_keys::rewrap(&mut tx, key).await?;
            }
            tx.commit(rewrapped).await
        });
        write.await.map_err(VaultError::Database)
    }

    async fn rewrap_data_keys(&self, wrapping: &Wrapping) -> Result<u64, VaultError> {
        let (mut after, mut rewrapped) = (None, 0);
        loop {
            let mut reader = self.inner.db.read_primary().await?;
            let limit = self.inner.config.rotation_batch;
            let stored = data_keys::find_wrapped_otherwise(&mut reader, wrapping.id, after, limit).await?;
            drop(reader);
            let Some(last) = stored.last() else { return Ok(rewrapped) };
            after = Some(last.person);
            let mut keys = Vec::with_capacity(stored.len());
            for key in stored {
                let Some((wrapped, _)) = key.wrapped else { continue };
                let binding = Binding::DataKey { person: key.person, key_id: key.key_id };
                let wrapped = self.rewrap(wrapping, binding, &wrapped)?;
                keys.push(NewDataKey {
                    person: key.person,
                    key_id: key.key_id,
                    wrapped,
                    master: wrapping.id,
                });
            }
            let (keys, now) = (keys.as_slice(), self.inner.clock.now());
            let write = self.inner.db.write(|mut tx| async move {
                let changed = data_keys::rewrap(&mut tx, keys, now).await?;
                tx.commit(changed).await
            });
            rewrapped += write.await.map_err(VaultError::Database)?;
        }
    }

    /// The same key under another master key. Which one wraps it now stands in its header.
    fn rewrap(&self, to: &Wrapping, binding: Binding<'_>, wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        let from = self.inner.ring.get(MasterKeyId(crate::crypto::key_id_of(wrapped)?))?;
        to.wrap(binding, from.unwrap(binding, wrapped)?.expose(), &self.inner.rng)
    }
}
