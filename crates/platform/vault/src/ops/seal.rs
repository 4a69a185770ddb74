use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kernel::Secret;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::crypto::{Binding, KeyId, seal};
use crate::error::VaultError;
use crate::keys::{DataKey, Entry};
use crate::store::data_keys::{self, NewDataKey, StoredDataKey};
use crate::store::masters;
use crate::vault::Vault;

/// How many people's keys one statement reads or writes.
const BATCH: usize = 500;

/// How often making keys starts over because the master key was exchanged meanwhile.
const ATTEMPTS: usize = 3;

/// A value to seal.
#[derive(Clone, Copy)]
pub struct Plain<'a> {
    /// Whose it is.
    pub person: Uuid,
    /// What it is, as `customers.address`. It opens in no other context.
    pub context: &'static str,
    /// The value.
    pub plaintext: &'a [u8],
}

/// A value to open.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// Whose it is.
    pub person: Uuid,
    /// What it was sealed as.
    pub context: &'static str,
    /// What sealing returned.
    pub sealed: &'a [u8],
}

impl Vault {
    /// Seals a value of a person, under the person's own key, which is made when there is none yet.
    /// `context` names what it is, as `customers.address`: the value opens for this person in this context
    /// only. At most 16 MiB; 49 bytes are added.
    ///
    /// # Errors
    /// [`VaultError::Erased`] when the person was erased.
    pub async fn seal(
        &self,
        person: Uuid,
        context: &'static str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = match self.entry(person).await? {
            Some(entry) => entry,
            None => self.make_keys(&[person]).await?.remove(&person).ok_or(VaultError::Refused)?,
        };
        self.seal_under(&key, Plain { person, context, plaintext })
    }

    /// Seals a value as JSON, as [`Self::seal`].
    ///
    /// # Errors
    /// As [`Self::seal`], and [`VaultError::Json`] when the value cannot be written as JSON.
    pub async fn seal_json<T: Serialize + Sync>(
        &self,
        person: Uuid,
        context: &'static str,
        value: &T,
    ) -> Result<Vec<u8>, VaultError> {
        let plaintext = Zeroizing::new(serde_json::to_vec(value).map_err(VaultError::Json)?);
        self.seal(person, context, &plaintext).await
    }

    /// Seals many values, in their order, with one look-up of keys for all: for imports.
    ///
    /// # Errors
    /// As [`Self::seal`]; none is sealed then.
    pub async fn seal_many(&self, values: &[Plain<'_>]) -> Result<Vec<Vec<u8>>, VaultError> {
        let people: BTreeSet<Uuid> = values.iter().map(|value| value.person).collect();
        let people: Vec<Uuid> = people.into_iter().collect();
        let mut entries = self.entries(&people).await?;
        let missing: Vec<Uuid> = people.into_iter().filter(|person| !entries.contains_key(person)).collect();
        entries.extend(self.make_keys(&missing).await?);
        values
            .iter()
            .map(|value| self.seal_under(entries.get(&value.person).ok_or(VaultError::Refused)?, *value))
            .collect()
    }

    fn seal_under(&self, entry: &Entry, value: Plain<'_>) -> Result<Vec<u8>, VaultError> {
        let Entry::Key(key) = entry else { return Err(VaultError::Erased) };
        let binding = Binding::Person { person: value.person, context: value.context };
        seal(key.parts(), binding, value.plaintext, &self.inner.rng)
    }

    /// What is known of the person's key: from memory when it is there, else from the database.
    pub(crate) async fn entry(&self, person: Uuid) -> Result<Option<Entry>, VaultError> {
        self.renew().await?;
        match self.inner.data_keys.get(person) {
            Some(entry) => Ok(Some(entry)),
            None => Ok(self.load(&[person]).await?.remove(&person)),
        }
    }

    /// What is known of these people's keys; those who have none are absent.
    pub(crate) async fn entries(&self, people: &[Uuid]) -> Result<HashMap<Uuid, Entry>, VaultError> {
        self.renew().await?;
        let mut entries = HashMap::with_capacity(people.len());
        let mut missing = Vec::new();
        for person in people {
            match self.inner.data_keys.get(*person) {
                Some(entry) => drop(entries.insert(*person, entry)),
                None => missing.push(*person),
            }
        }
        entries.extend(self.load(&missing).await?);
        Ok(entries)
    }

    async fn load(&self, people: &[Uuid]) -> Result<HashMap<Uuid, Entry>, VaultError> {
        let mut loaded = HashMap::with_capacity(people.len());
        for batch in people.chunks(BATCH) {
            let known = self.inner.watch.erasures();
            let stored = data_keys::find(&mut *self.inner.db.read_primary().await?, batch).await?;
            for key in stored {
                let person = key.person;
                let entry = self.unwrap_data_key(key)?;
                self.inner.data_keys.insert(person, entry.clone());
                loaded.insert(person, entry);
            }
            // Somebody was erased while this was read; it may be one of these.
            if self.inner.watch.erasures() != known {
                self.inner.data_keys.forget(batch.iter().copied());
            }
        }
        Ok(loaded)
    }

    fn unwrap_data_key(&self, stored: StoredDataKey) -> Result<Entry, VaultError> {
        let Some((wrapped, master)) = stored.wrapped else { return Ok(Entry::Destroyed) };
        let binding = Binding::DataKey { person: stored.person, key_id: stored.key_id };
        let key = self.inner.ring.get(master)?.unwrap(binding, &wrapped)?;
        Ok(Entry::Key(Arc::new(DataKey { id: stored.key_id, key })))
    }

    /// Makes keys for people who have none, and returns what they have then: another process may have been
    /// faster.
    async fn make_keys(&self, people: &[Uuid]) -> Result<HashMap<Uuid, Entry>, VaultError> {
        for batch in people.chunks(BATCH) {
            self.make_batch(batch).await?;
        }
        self.load(people).await
    }

    async fn make_batch(&self, people: &[Uuid]) -> Result<(), VaultError> {
        let inner = &self.inner;
        for _ in 0..ATTEMPTS {
            self.renew().await?;
            let master = inner.watch.master();
            let wrapping = inner.ring.get(master)?;
            let keys: Vec<NewDataKey> = people
                .iter()
                .map(|person| {
                    let key_id: KeyId = inner.rng.bytes();
                    let key = Secret::new(inner.rng.bytes::<32>());
                    let binding = Binding::DataKey { person: *person, key_id };
                    let wrapped = wrapping.wrap(binding, key.expose(), &inner.rng)?;
                    Ok(NewDataKey { person: *person, key_id, wrapped, master })
                })
                .collect::<Result<_, VaultError>>()?;
            let (keys, now) = (keys.as_slice(), inner.clock.now());
            let stored = inner.db.write(|mut tx| async move {
                // Were a key wrapped by a master key that has just been replaced, its rotation would end
                // without it.
                if masters::active(&mut tx).await? != Some(master) {
                    return tx.rollback(false).await;
                }
                data_keys::insert_missing(&mut tx, keys, now).await?;
                tx.commit(true).await
            });
            if stored.await? {
                return Ok(());
            }
            inner.watch.distrust();
        }
        Err(database::Error::Conflict.into())
    }
}
