use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::seal::Sealed;
use crate::crypto::{Binding, open};
use crate::error::VaultError;
use crate::keys::Entry;
use crate::vault::Vault;

impl Vault {
    /// Opens what [`Self::seal`] made for the same person and context; `None` when the person was erased.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when it was changed, or sealed for anybody or anything else.
    pub async fn open_sealed(
        &self,
        person: Uuid,
        context: &'static str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        open_under(self.entry(person).await?.as_ref(), Sealed { person, context, sealed })
    }

    /// Opens what [`Self::seal_json`] made; `None` when the person was erased.
    ///
    /// # Errors
    /// As [`Self::open_sealed`], and [`VaultError::Json`] when it is not a `T`.
    pub async fn open_json<T: DeserializeOwned>(
        &self,
        person: Uuid,
        context: &'static str,
        sealed: &[u8],
    ) -> Result<Option<T>, VaultError> {
        let Some(plaintext) = self.open_sealed(person, context, sealed).await? else { return Ok(None) };
        let plaintext = Zeroizing::new(plaintext);
        serde_json::from_slice(&plaintext).map(Some).map_err(VaultError::Json)
    }

    /// Opens many values, in their order, with one look-up of keys for all: for lists and exports.
    ///
    /// # Errors
    /// As [`Self::open_sealed`], when any of them cannot be opened.
    pub async fn open_many(&self, values: &[Sealed<'_>]) -> Result<Vec<Option<Vec<u8>>>, VaultError> {
        let people: BTreeSet<Uuid> = values.iter().map(|value| value.person).collect();
        let entries = self.entries(&people.into_iter().collect::<Vec<_>>()).await?;
        values.iter().map(|value| open_under(entries.get(&value.person), *value)).collect()
    }
}

fn open_under(entry: Option<&Entry>, value: Sealed<'_>) -> Result<Option<Vec<u8>>, VaultError> {
    match entry {
        Some(Entry::Key(key)) => {
            let binding = Binding::Person { person: value.person, context: value.context };
            open(key.parts(), binding, value.sealed).map(Some)
        }
        Some(Entry::Destroyed) => Ok(None),
        // Nothing was ever sealed for this person, so this was not either.
        None => Err(VaultError::Refused),
    }
}
