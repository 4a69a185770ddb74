use std::sync::Arc;

use kernel::Secret;
use moka::sync::Cache;
use uuid::Uuid;

use crate::crypto::KeyId;

/// The key under which everything of one person is sealed.
pub(crate) struct DataKey {
    pub(crate) id: KeyId,
    pub(crate) key: Secret<[u8; 32]>,
}

impl DataKey {
    /// As the sealing functions take it.
    pub(crate) fn parts(&self) -> (KeyId, &[u8; 32]) {
        (self.id, self.key.expose())
    }
}

/// What is known of a person's key.
#[derive(Clone)]
pub(crate) enum Entry {
    Key(Arc<DataKey>),
    Destroyed,
}

/// The data keys in memory. They may be used for as long as [`super::Watch`] says that nobody in here was
/// erased.
pub(crate) struct DataKeys(Cache<Uuid, Entry>);

impl DataKeys {
    pub(crate) fn new(capacity: u64) -> Self {
        Self(Cache::new(capacity))
    }

    pub(crate) fn get(&self, person: Uuid) -> Option<Entry> {
        self.0.get(&person)
    }

    pub(crate) fn insert(&self, person: Uuid, entry: Entry) {
        self.0.insert(person, entry);
    }

    /// Forgets these people's keys. They are wiped from memory now, not when the cache next tidies up.
    pub(crate) fn forget(&self, people: impl IntoIterator<Item = Uuid>) {
        for person in people {
            self.0.invalidate(&person);
        }
        self.0.run_pending_tasks();
    }

    /// Forgets everybody.
    pub(crate) fn clear(&self) {
        self.0.invalidate_all();
        self.0.run_pending_tasks();
    }
}
