use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use database::{Database, Isolation};
use kernel::{Clock, Rng};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::config::VaultConfig;
use crate::crypto::{Binding, MasterKeyId, Root};
use crate::error::VaultError;
use crate::keys::{DataKeys, Ring, Watch, Wrapping};
use crate::store::{erasures, masters, roots};
use crate::vault::{Inner, Vault};

const MIGRATIONS: &[database::Migration] = &database::migrations!["0001_vault"];

impl Vault {
    /// Opens the vault on its own database. The first start of all makes the master key, unless one is
    /// configured, and the root of derived keys; however many processes start at once, they end up with
    /// the same.
    ///
    /// # Errors
    /// [`VaultError::Config`] and [`VaultError::KeyFile`] name what to put right;
    /// [`VaultError::WrongMasterKey`] when the database was sealed under a key that is not here.
    pub async fn open(
        config: &VaultConfig,
        db: Database,
        data_dir: &Path,
        clock: Clock,
        rng: Rng,
    ) -> Result<Self, VaultError> {
        config.validate()?;
        db.migrate("vault", MIGRATIONS).await?;
        let ring = Ring::new(config, data_dir, rng.clone())?;
        let master = match masters::active(&mut *db.read_primary().await?).await? {
            Some(master) => {
                ring.load(false)?;
                master
            }
            None => found(&db, &ring, &clock, &rng).await?,
        };
        // All of them, not only the active one: during a rotation the other still wraps the rest.
        for id in masters::in_use(&mut *db.read_primary().await?).await? {
            ring.get(id)?;
        }
        let mut reader = db.read_primary().await?;
        let (wrapped, wrapped_by) = roots::find(&mut reader).await?.ok_or(database::Error::NotFound)?;
        let root = ring.get(wrapped_by)?.unwrap(Binding::Root, &wrapped)?;
        let (latest, _) = erasures::watch(&mut reader).await?;
        drop(reader);
        let inner = Inner {
            db,
            clock,
            rng,
            ring,
            root: Root::new(*root.expose()),
            watch: Watch::new(config.recheck(), latest, master),
            data_keys: DataKeys::new(config.cached_data_keys),
            signing: Mutex::new(HashMap::new()),
            config: config.clone(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// Founds a vault in an empty database. Returns the master key that it is founded on, which is another
/// process's when that was faster.
async fn found(db: &Database, ring: &Ring, clock: &Clock, rng: &Rng) -> Result<MasterKeyId, VaultError> {
    let Some((first, created)) = ring.load(true)? else {
        return Err(VaultError::Config {
            field: "master_key_file",
            problem: "was removed while it was read",
        });
    };
    let founded = try_found(db, &first, clock, rng).await;
    match &founded {
        // A key that nothing was sealed under must not lie about for the next start to trip over.
        Ok(master) if created && *master != first.id => ring.discard()?,
        Ok(_) if created => {
            tracing::warn!("the master key was made; keep a copy of the file in a safe place")
        }
        _ => {}
    }
    founded
}

async fn try_found(
    db: &Database,
    first: &Arc<Wrapping>,
    clock: &Clock,
    rng: &Rng,
) -> Result<MasterKeyId, VaultError> {
    db.write_with(Isolation::ReadCommitted, |mut tx| async move {
        tx.lock_key("vault.founding").await?;
        if let Some(master) = masters::active(&mut tx).await? {
            return Ok(tx.rollback(master).await?);
        }
        let root = Zeroizing::new(rng.bytes::<32>());
        let wrapped = first.wrap(Binding::Root, &root, rng)?;
        masters::activate(&mut tx, first.id, clock.now()).await?;
        roots::upsert(&mut tx, &wrapped, first.id).await?;
        Ok(tx.commit(first.id).await?)
    })
    .await
}
