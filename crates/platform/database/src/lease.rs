use std::time::Duration;

use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::transaction::Tx;

/// The right to do what only one copy may do, until it expires. Clocks of the copies should agree to well
/// within the lease's length; where that is not enough, check [`Lease::hold`] in the transaction itself.
#[derive(Clone)]
pub struct Lease {
    database: Database,
    name: String,
    token: i64,
    ttl: Duration,
}

impl Database {
    /// Takes the lease `name` for `ttl`; `None` while somebody else holds it.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, Error> {
        let now = self.clock().now();
        let token = self
            .write(|mut tx| async move {
                let token: Option<(i64,)> = tx
                    .fetch_optional(
                        "INSERT INTO platform_leases (name, token, expires_at) VALUES ($1, 1, $2) \
                         ON CONFLICT (name) DO UPDATE SET token = platform_leases.token + 1, expires_at = $2 \
                         WHERE platform_leases.expires_at <= $3 RETURNING token",
                        &params![name, now.plus(ttl), now],
                    )
                    .await?;
                tx.commit(token).await
            })
            .await?;
        Ok(token.map(|(token,)| Lease { database: self.clone(), name: name.to_owned(), token, ttl }))
    }
}

impl Lease {
    /// Grows with every holder. Whoever is written to under the lease refuses a token below the last it saw.
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Prolongs the lease to its full length from now; `false` when it has expired or been taken.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn renew(&self) -> Result<bool, Error> {
        let now = self.database.clock().now();
        self.set_expiry(now.plus(self.ttl)).await
    }

    /// Gives the lease up before its time; `false` when it had expired or been taken.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn release(self) -> Result<bool, Error> {
        let now = self.database.clock().now();
        self.set_expiry(now).await
    }

    async fn set_expiry(&self, at: kernel::Timestamp) -> Result<bool, Error> {
        let now = self.database.clock().now();
        self.database
            .write(|mut tx| async move {
                let rows = tx
                    .execute(
                        "UPDATE platform_leases SET expires_at = $1 \
                         WHERE name = $2 AND token = $3 AND expires_at > $4",
                        &params![at, &self.name, self.token, now],
                    )
                    .await?;
                tx.commit(rows == 1).await
            })
            .await
    }

    /// Whether the lease is still held; if so, nobody can take it before `tx` ends.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn hold(&self, tx: &mut Tx) -> Result<bool, Error> {
        let now = tx.database().clock().now();
        let rows = tx
            .execute(
                "UPDATE platform_leases SET expires_at = expires_at \
                 WHERE name = $1 AND token = $2 AND expires_at > $3",
                &params![&self.name, self.token, now],
            )
            .await?;
        Ok(rows == 1)
    }
}
