use std::time::Duration;

use database::{Database, Error, Lease};
use kernel::Timestamp;

/// For how long a copy that died keeps others from its work. Renewed at half of it.
const LEASE: Duration = Duration::from_secs(8);

/// The lease under which one copy at a time does something, kept across failures of the database: who held it
/// before goes on as soon as the database is back, and does not wait for its own lease to run out.
pub(crate) struct Hold {
    database: Database,
    name: String,
    held: Option<(Lease, Timestamp)>,
}

impl Hold {
    /// The lease `name`, not yet taken.
    pub(crate) const fn new(database: Database, name: String) -> Self {
        Self { database, name, held: None }
    }

    /// Takes the lease, or renews it when it is time; `false` when another copy has it.
    pub(crate) async fn take(&mut self) -> Result<bool, Error> {
        let now = self.database.clock().now();
        if let Some((lease, renewed)) = &mut self.held {
            if now.since(*renewed) < LEASE / 2 {
                return Ok(true);
            }
            if lease.renew().await? {
                *renewed = now;
                return Ok(true);
            }
        }
        self.held = self.database.lease(&self.name, LEASE).await?.map(|lease| (lease, now));
        Ok(self.held.is_some())
    }

    /// Lets another copy have it, if the database can be told.
    pub(crate) async fn release(&mut self) {
        if let Some((lease, _)) = &self.held
            && lease.clone().release().await.is_ok()
        {
            self.held = None;
        }
    }
}
