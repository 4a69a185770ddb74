use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use database::Database;
use kernel::{Clock, Rng, Secret};
use parking_lot::Mutex;

use crate::config::VaultConfig;
use crate::crypto::Root;
use crate::error::VaultError;
use crate::keys::{DataKeys, Ring, Watch};
use crate::ops::signing_keys::{KeySet, SigningKeys};

/// Keys, and what is sealed under them. Cheap to clone; clones share what they remember.
///
/// The vault has a database of its own. Never call it while a write transaction is open: other writers
/// would wait for the vault.
#[derive(Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Database,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) config: VaultConfig,
    pub(crate) ring: Ring,
    pub(crate) root: Root,
    pub(crate) watch: Watch,
    pub(crate) data_keys: DataKeys,
    pub(crate) signing: Mutex<HashMap<&'static str, Arc<KeySet>>>,
}

impl Vault {
    /// A keyed fingerprint of `value`: equal values give equal fingerprints in one context and unrelated
    /// ones in another, and without the vault nobody can tell what a fingerprint is of, even by trying.
    /// HMAC-SHA256. Normalise the value first (an address: trimmed, lower case).
    pub fn blind_index(&self, context: &'static str, value: &str) -> [u8; 32] {
        self.inner.root.blind_index(context, value)
    }

    /// The key for `context`, the same for ever and on every node: HKDF-SHA256. For message
    /// authentication and the like; what is to be forgotten with a person is sealed instead.
    pub fn derive(&self, context: &'static str) -> Secret<[u8; 32]> {
        self.inner.root.derive(context)
    }

    /// The keys that sign tokens for `purpose`.
    pub fn signing_keys(&self, purpose: &'static str) -> SigningKeys {
        SigningKeys::new(self.clone(), purpose)
    }

    pub(crate) async fn renew(&self) -> Result<(), VaultError> {
        let inner = &self.inner;
        if inner.watch.renew(&inner.db, &inner.clock, &inner.data_keys).await? {
            // A new master key is taken from its file while it is there, not when something wrapped by it
            // is met: it may have been replaced in its turn by then. Without it what is older still opens.
            if let Err(error) = inner.ring.get(inner.watch.master()) {
                tracing::error!(%error, "the present master key is not at hand");
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}
