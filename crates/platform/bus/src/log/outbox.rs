use std::time::Duration;

use database::{Changes, Database};

use super::Entry;
use crate::error::BusError;

/// Positions in an outbox never begin anew.
pub(crate) const EPOCH: &str = "outbox";

/// The outbox of a service in this process, read where it was written.
pub(crate) struct OutboxLog {
    database: Database,
    changes: Changes,
}

impl OutboxLog {
    pub(crate) fn new(database: Database) -> Self {
        let changes = database.outbox_changed();
        Self { database, changes }
    }

    pub(crate) fn source(&self) -> &str {
        self.database.name()
    }

    pub(crate) async fn read_after(&mut self, position: i64, limit: u32) -> Result<Vec<Entry>, BusError> {
        // Whatever commits from here on wakes the next wait; what was told before is read now.
        self.changes.mark_seen();
        let rows = self.database.outbox_after(position, limit).await?;
        Ok(rows.into_iter().map(|row| Entry { position: row.position, envelope: row.envelope }).collect())
    }

    pub(crate) async fn changed(&mut self, wait: Duration) {
        // Running out of time is as good a reason to look as being told.
        let _ = tokio::time::timeout(wait, self.changes.changed()).await;
    }
}
