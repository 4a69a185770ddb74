use database::Isolation;
use uuid::Uuid;

use crate::error::VaultError;
use crate::keys::Entry;
use crate::store::{data_keys, erasures};
use crate::vault::Vault;

impl Vault {
    /// Erases a person: destroys their key, and with it everything that was ever sealed under it, wherever
    /// it lies. Every node forgets the key within a second. A tombstone stays, so the person never gets
    /// another key. Doing it again changes nothing; false says that it was done before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn destroy(&self, person: Uuid) -> Result<bool, VaultError> {
        let now = self.inner.clock.now();
        let destroyed = self
            .inner
            .db
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let number = erasures::next(&mut tx).await?;
                if data_keys::destroy(&mut tx, person, number, now).await? {
                    tx.commit(true).await
                } else {
                    tx.rollback(false).await
                }
            })
            .await?;
        self.inner.data_keys.forget([person]);
        self.inner.data_keys.insert(person, Entry::Destroyed);
        Ok(destroyed)
    }
}
