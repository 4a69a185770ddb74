use kernel::Fail as _;

use crate::context::Context;
use crate::error::Error;
use crate::model::audit::{self, AuditId};
use crate::store::audit as store;

/// How many entries one transaction chains or one read checks.
const BATCH: u32 = 500;

/// What checking the audit log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many entries are in the chain.
    pub entries: u64,
    /// The first entry that was changed, or before which one is missing.
    pub broken_at: Option<AuditId>,
}

impl Context {
    /// Puts the entries that were appended since the last time into the hash chain; how many that
    /// were.
    ///
    /// This is apart from appending, because a chain has one end: were every attempt to wait for it,
    /// sign-ins would run one after the other. Until an entry is chained, within seconds, it is only
    /// as safe as the database.
    pub(crate) async fn chain_audit(&self) -> Result<u64, Error> {
        let mut total = 0;
        // A look costs a read; only when there is something to chain is there a transaction.
        if audit_is_chained(self).await? {
            return Ok(total);
        }
        loop {
            let chained = self
                .database
                .write(|mut tx| async move {
                    tx.lock_key("identity.audit").await?;
                    let end = store::chain_end(&mut tx).await?;
                    let (mut sequence, mut hash) =
                        end.map_or((0, Vec::new()), |(at, hash)| (at, hash.to_vec()));
                    let entries = store::unchained(&mut tx, BATCH).await?;
                    for stored in &entries {
                        sequence += 1;
                        let next = audit::link(&self.audit_key, &hash, &stored.entry);
                        store::chain(&mut tx, stored.entry.id, sequence, &next).await?;
                        hash = next.to_vec();
                    }
                    tx.commit(entries.len() as u64).await
                })
                .await
                .map_err(|error: database::Error| Error::from(error))?;
            total += chained;
            if chained < u64::from(BATCH) {
                return Ok(total);
            }
        }
    }

    /// Computes the whole chain again. The oldest entry that is left is believed, since those before
    /// it were deleted for their age.
    pub(crate) async fn check_audit(&self) -> Result<AuditCheck, Error> {
        let mut reader = self.database.read_primary().await?;
        let mut check = AuditCheck { entries: 0, broken_at: None };
        let mut end: Option<(i64, [u8; 32])> = None;
        loop {
            let after = end.map_or(i64::MIN, |(sequence, _)| sequence);
            let entries = store::chained(&mut reader, after, BATCH).await?;
            for stored in &entries {
                let (Some(sequence), Some(hash)) = (stored.sequence, stored.hash) else { continue };
                let sound = match end {
                    Some((before, previous)) => {
                        sequence == before + 1
                            && hash == audit::link(&self.audit_key, &previous, &stored.entry)
                    }
                    None if sequence == 1 => hash == audit::link(&self.audit_key, &[], &stored.entry),
                    None => true,
                };
                if !sound {
                    return Ok(AuditCheck { broken_at: Some(stored.entry.id), ..check });
                }
                check.entries += 1;
                end = Some((sequence, hash));
            }
            if entries.len() < BATCH as usize {
                return Ok(check);
            }
        }
    }

    /// Chains, and says so when it cannot.
    pub(crate) async fn keep_chaining(&self) {
        if let Err(error) = self.chain_audit().await {
            let code = error.code();
            tracing::warn!(
                code,
                error = &error as &dyn std::error::Error,
                "the audit log could not be chained"
            );
        }
    }
}

async fn audit_is_chained(context: &Context) -> Result<bool, Error> {
    let mut reader = context.database.read_primary().await?;
    Ok(store::unchained(&mut reader, 1).await?.is_empty())
}
