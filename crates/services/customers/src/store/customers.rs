use contracts::identity::AccountVerified;
use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{CustomerId, Timestamp};

/// A customer as they are stored: what is about them is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: CustomerId,
    /// Sealed with [`contracts::identity::EMAIL_CONTEXT`].
    pub(crate) email: Option<Vec<u8>>,
    /// Sealed with [`contracts::identity::NAME_CONTEXT`]; it counts until there is a profile.
    pub(crate) signup_name: Option<Vec<u8>>,
    pub(crate) profile: Option<Vec<u8>>,
    pub(crate) version: i64,
    /// At which version the profile was written last. What came later does not clash with a write to it.
    pub(crate) profile_version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) erased: bool,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let erased_at: Option<Timestamp> = row.get("erased_at")?;
        Ok(Self {
            id: row.get("id")?,
            email: row.get("email")?,
            signup_name: row.get("signup_name")?,
            profile: row.get("profile")?,
            version: row.get("version")?,
            profile_version: row.get("profile_version")?,
            created_at: row.get("created_at")?,
            erased: erased_at.is_some(),
        })
    }
}

/// The customer, erased or not.
pub(crate) async fn find(connection: &mut Connection, id: CustomerId) -> Result<Option<Stored>, Error> {
    connection
        .fetch_optional(
            "SELECT id, email, signup_name, profile, version, profile_version, created_at, erased_at \
             FROM customers WHERE id = $1",
            &params![id],
        )
        .await
}

/// Up to `limit` customers with this mail address whose id is greater than `after`.
pub(crate) async fn by_email(
    connection: &mut Connection,
    index: &[u8; 32],
    after: Option<CustomerId>,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let after = after.unwrap_or(CustomerId::from_uuid(uuid::Uuid::nil()));
    connection
        .fetch_all(
            "SELECT id, email, signup_name, profile, version, profile_version, created_at, erased_at \
             FROM customers WHERE email_index = $1 AND id > $2 ORDER BY id LIMIT $3",
            &params![index, after, limit],
        )
        .await
}

/// Makes the customer unless there is one.
pub(crate) async fn insert(tx: &mut Tx, id: CustomerId, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO customers (id, version, profile_version, created_at, updated_at) \
         VALUES ($1, 1, 1, $2, $2) ON CONFLICT (id) DO NOTHING",
        &params![id, now],
    )
    .await?;
    Ok(())
}

/// Notes what identity knows of somebody who has just become a customer. `false` for the erased.
pub(crate) async fn verified(tx: &mut Tx, account: &AccountVerified, at: Timestamp) -> Result<bool, Error> {
    let name = account.name.as_ref().map(|name| name.0.as_slice());
    let changed = tx
        .execute(
            "INSERT INTO customers (id, email, signup_name, version, profile_version, created_at, updated_at) \
             VALUES ($1, $2, $3, 1, 1, $4, $4) ON CONFLICT (id) DO UPDATE SET email = excluded.email, \
             email_index = NULL, signup_name = excluded.signup_name, version = customers.version + 1, \
             updated_at = excluded.updated_at WHERE customers.erased_at IS NULL",
            &params![account.customer_id, account.email.0.as_slice(), name, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Makes the customer findable by the address `email`, if that is still theirs.
pub(crate) async fn set_email_index(
    tx: &mut Tx,
    id: CustomerId,
    email: &[u8],
    index: &[u8; 32],
) -> Result<(), Error> {
    tx.execute(
        "UPDATE customers SET email_index = $3 WHERE id = $1 AND email = $2",
        &params![id, email, index],
    )
    .await?;
    Ok(())
}

/// Writes the profile if the customer is still at `version`; whether they were.
pub(crate) async fn update_profile(
    tx: &mut Tx,
    id: CustomerId,
    version: i64,
    profile: &[u8],
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "UPDATE customers SET profile = $3, signup_name = NULL, version = version + 1, \
             profile_version = version + 1, updated_at = $4 \
             WHERE id = $1 AND version = $2 AND erased_at IS NULL",
            &params![id, version, profile, now],
        )
        .await?;
    Ok(changed == 1)
}

/// Leaves nothing of the customer but that they are gone; `false` when they were before.
pub(crate) async fn erase(tx: &mut Tx, id: CustomerId, now: Timestamp) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "UPDATE customers SET email = NULL, email_index = NULL, signup_name = NULL, profile = NULL, \
             import_fingerprint = NULL, version = version + 1, updated_at = $2, erased_at = $2 \
             WHERE id = $1 AND erased_at IS NULL",
            &params![id, now],
        )
        .await?;
    Ok(changed == 1)
}
