use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{AddressId, CustomerId, Timestamp};

/// An address as it is stored: sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAddress {
    pub(crate) id: AddressId,
    pub(crate) address: Vec<u8>,
    pub(crate) is_default: bool,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
}

impl FromRow for StoredAddress {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            address: row.get("address")?,
            is_default: row.get("is_default")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Up to `limit` of the customer's addresses, the newest first, that are older than `before`.
pub(crate) async fn list(
    connection: &mut Connection,
    customer: CustomerId,
    before: Option<AddressId>,
    limit: i64,
) -> Result<Vec<StoredAddress>, Error> {
    let before = before.unwrap_or(AddressId::from_uuid(uuid::Uuid::max()));
    connection
        .fetch_all(
            "SELECT id, address, is_default, version, created_at FROM addresses \
             WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &params![customer, before, limit],
        )
        .await
}

/// One of the customer's addresses.
pub(crate) async fn find(
    connection: &mut Connection,
    customer: CustomerId,
    id: AddressId,
) -> Result<Option<StoredAddress>, Error> {
    connection
        .fetch_optional(
            "SELECT id, address, is_default, version, created_at FROM addresses \
             WHERE customer_id = $1 AND id = $2",
            &params![customer, id],
        )
        .await
}

/// How many addresses the customer has.
pub(crate) async fn count(connection: &mut Connection, customer: CustomerId) -> Result<usize, Error> {
    let (count,): (usize,) = connection
        .fetch_one("SELECT COUNT(*) FROM addresses WHERE customer_id = $1", &params![customer])
        .await?;
    Ok(count)
}

/// Makes sure that none of the customer's addresses but `except` is the default.
pub(crate) async fn clear_default(
    tx: &mut Tx,
    customer: CustomerId,
    except: AddressId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE addresses SET is_default = $4, version = version + 1, updated_at = $5 \
         WHERE customer_id = $1 AND id <> $2 AND is_default = $3",
        &params![customer, except, true, false, now],
    )
    .await?;
    Ok(())
}

/// Adds an address to the customer's book.
pub(crate) async fn insert(tx: &mut Tx, customer: CustomerId, address: &StoredAddress) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO addresses (id, customer_id, address, is_default, is_imported, version, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        &params![
            address.id,
            customer,
            address.address.as_slice(),
            address.is_default,
            false,
            address.version,
            address.created_at
        ],
    )
    .await?;
    Ok(())
}

/// Replaces one of the customer's addresses. From now on it is their own, wherever it came from.
pub(crate) async fn update(
    tx: &mut Tx,
    customer: CustomerId,
    address: &StoredAddress,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE addresses SET address = $3, is_default = $4, is_imported = $5, version = $6, updated_at = $7 \
         WHERE customer_id = $1 AND id = $2",
        &params![
            customer,
            address.id,
            address.address.as_slice(),
            address.is_default,
            false,
            address.version,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Takes an address out of the customer's book.
pub(crate) async fn delete(tx: &mut Tx, customer: CustomerId, id: AddressId) -> Result<(), Error> {
    tx.execute("DELETE FROM addresses WHERE customer_id = $1 AND id = $2", &params![customer, id]).await?;
    Ok(())
}

/// Throws the customer's book away.
pub(crate) async fn delete_all(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    tx.execute("DELETE FROM addresses WHERE customer_id = $1", &params![customer]).await?;
    Ok(())
}
