//! What has run out leaves: no table grows with time.

use std::time::Duration;

use database::Tx;
use futures_util::future::BoxFuture;
use host::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

use crate::context::Context;
use crate::error::Error;
use crate::store::{audit, recoveries, sessions, signups};

/// How many rows one transaction deletes.
const BATCH: u32 = 500;

/// How often new entries of the audit log are chained.
const CHAIN_EVERY: Duration = Duration::from_secs(1);

/// After so many rounds of chaining comes one of cleaning.
const ROUNDS: u32 = 60;

/// For how long the clocks of two machines may differ.
const LEEWAY: Duration = Duration::from_secs(60);

type Delete = for<'a> fn(&'a mut Tx, &'a Context) -> BoxFuture<'a, Result<u64, database::Error>>;

const DELETIONS: [Delete; 4] = [
    |tx, context| Box::pin(async move { signups::delete_expired(tx, context.now(), BATCH).await }),
    |tx, context| Box::pin(async move { recoveries::delete_expired(tx, context.now(), BATCH).await }),
    |tx, context| {
        Box::pin(async move {
            // An ended session is still on the list of those to refuse while a token of it may be about.
            let about = context.config.access_token() + LEEWAY;
            sessions::delete_ended(tx, context.now().minus(about), BATCH).await
        })
    },
    |tx, context| {
        Box::pin(async move {
            let kept = Duration::from_secs(u64::from(context.config.audit_days) * 86_400);
            audit::delete_old(tx, context.now().minus(kept), BATCH).await
        })
    },
];

impl Context {
    /// Deletes everything that has run out; how many rows that were.
    pub(crate) async fn clean(&self) -> Result<u64, Error> {
        let mut total = 0;
        for delete in DELETIONS {
            loop {
                let deleted = self
                    .database
                    .write(|mut tx| async move {
                        let deleted = delete(&mut tx, self).await?;
                        tx.commit(deleted).await
                    })
                    .await
                    .map_err(|error: database::Error| Error::from(error))?;
                total += deleted;
                if deleted < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(total)
    }

    /// Chains the audit log, cleans, and makes the next signing key when it is time, until shutdown.
    /// Several copies may do it at once: each step is right by itself.
    pub(crate) async fn upkeep(&self, shutdown: Shutdown) {
        let mut ticks = interval(CHAIN_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut round = 0;
        loop {
            tokio::select! {
                () = shutdown.wait() => return,
                _ = ticks.tick() => {}
            }
            self.keep_chaining().await;
            if round == 0 {
                self.keep_clean().await;
            }
            round = (round + 1) % ROUNDS;
        }
    }

    async fn keep_clean(&self) {
        if let Err(error) = self.clean().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "what has run out could not be deleted");
        }
        if let Err(error) = self.issuer.keys.rotate_if_due().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the signing key could not be rotated");
        }
    }
}
