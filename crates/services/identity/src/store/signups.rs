use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{CustomerId, Timestamp};
use uuid::Uuid;

/// A sign-up whose address has not been proved; one row per mail.
#[derive(Clone)]
pub(crate) struct SignUp {
    pub(crate) id: Uuid,
    /// Who they will be.
    pub(crate) customer: CustomerId,
    pub(crate) address_index: [u8; 32],
    /// [`crate::ops::Contact`], sealed under the service's own key.
    pub(crate) contact: Vec<u8>,
    /// The password of the request that this mail answers.
    pub(crate) password_hash: Option<String>,
    pub(crate) token_hash: [u8; 32],
    pub(crate) code_hash: [u8; 32],
    /// How often a code was typed wrongly.
    pub(crate) tries: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) code_expires_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl FromRow for SignUp {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            customer: row.get("customer_id")?,
            address_index: row.get("address_index")?,
            contact: row.get("contact")?,
            password_hash: row.get("password_hash")?,
            token_hash: row.get("token_hash")?,
            code_hash: row.get("code_hash")?,
            tries: row.get("tries")?,
            created_at: row.get("created_at")?,
            code_expires_at: row.get("code_expires_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, signup: &SignUp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO signups (id, customer_id, address_index, contact, password_hash, token_hash, code_hash, tries, \
         created_at, code_expires_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &params![
            signup.id,
            signup.customer,
            signup.address_index,
            &signup.contact,
            signup.password_hash.clone(),
            signup.token_hash,
            signup.code_hash,
            signup.tries,
            signup.created_at,
            signup.code_expires_at,
            signup.expires_at
        ],
    )
    .await?;
    Ok(())
}

/// Those of an address that are alive, the newest first.
pub(crate) async fn alive(
    connection: &mut Connection,
    address_index: &[u8; 32],
    now: Timestamp,
) -> Result<Vec<SignUp>, Error> {
    connection
        .fetch_all(
            "SELECT * FROM signups WHERE address_index = $1 AND expires_at > $2 ORDER BY id DESC LIMIT 100",
            &params![address_index, now],
        )
        .await
}

pub(crate) async fn by_token(
    connection: &mut Connection,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SignUp>, Error> {
    connection
        .fetch_optional(
            "SELECT * FROM signups WHERE token_hash = $1 AND expires_at > $2",
            &params![token_hash, now],
        )
        .await
}

/// Counts a wrong code against every code that is alive for the address.
pub(crate) async fn count_try(tx: &mut Tx, address_index: &[u8; 32], now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE signups SET tries = tries + 1 WHERE address_index = $1 AND code_expires_at > $2",
        &params![address_index, now],
    )
    .await?;
    Ok(())
}

/// Deletes one; whether it was there.
pub(crate) async fn delete(tx: &mut Tx, id: Uuid) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM signups WHERE id = $1", &params![id]).await? == 1)
}

/// Deletes all of an address.
pub(crate) async fn delete_of_address(tx: &mut Tx, address_index: &[u8; 32]) -> Result<(), Error> {
    tx.execute("DELETE FROM signups WHERE address_index = $1", &params![address_index]).await?;
    Ok(())
}

/// Deletes up to `limit` that have run out; how many that were.
pub(crate) async fn delete_expired(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM signups WHERE id IN (SELECT id FROM signups WHERE expires_at <= $1 LIMIT $2)",
        &params![now, limit],
    )
    .await
}
