use std::collections::HashSet;

use database::{Connection, Error, Sql, Tx, Value};
use kernel::{AddressId, CustomerId, Timestamp};

/// How many rows one statement writes: their parameters have to fit into it on both engines.
const ROWS: usize = 500;

/// What is known of a customer before an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The fingerprint of the record they were imported from last.
    pub(crate) fingerprint: Option<[u8; 32]>,
    pub(crate) erased: bool,
}

/// A customer to write.
pub(crate) struct ImportedCustomer {
    pub(crate) id: CustomerId,
    pub(crate) email: Vec<u8>,
    pub(crate) email_index: [u8; 32],
    pub(crate) profile: Vec<u8>,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) created_at: Timestamp,
}

/// An address to write.
pub(crate) struct ImportedAddress {
    pub(crate) id: AddressId,
    pub(crate) customer_id: CustomerId,
    pub(crate) address: Vec<u8>,
    pub(crate) is_default: bool,
    pub(crate) created_at: Timestamp,
}

/// Those of `ids` that there are.
pub(crate) async fn known(
    connection: &mut Connection,
    ids: &[CustomerId],
) -> Result<Vec<(CustomerId, Known)>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let mut sql = Sql::new("SELECT id, import_fingerprint, erased_at FROM customers WHERE id IN ");
        sql.bind_list(ids.iter().copied());
        let rows: Vec<(CustomerId, Option<[u8; 32]>, Option<Timestamp>)> = sql.fetch_all(connection).await?;
        found
            .extend(rows.into_iter().map(|(id, fingerprint, erased_at)| {
                (id, Known { fingerprint, erased: erased_at.is_some() })
            }));
    }
    Ok(found)
}

/// Writes customers, new ones and others.
pub(crate) async fn upsert(tx: &mut Tx, customers: &[ImportedCustomer], now: Timestamp) -> Result<(), Error> {
    for customers in customers.chunks(ROWS) {
        let mut sql = Sql::new(
            "INSERT INTO customers (id, email, email_index, profile, version, profile_version, \
             import_fingerprint, created_at, updated_at) VALUES ",
        );
        for (number, customer) in customers.iter().enumerate() {
            sql.push(if number == 0 { "" } else { ", " }).bind_list([
                Value::from(customer.id),
                customer.email.as_slice().into(),
                customer.email_index.into(),
                customer.profile.as_slice().into(),
                1_i64.into(),
                1_i64.into(),
                customer.fingerprint.into(),
                customer.created_at.into(),
                now.into(),
            ]);
        }
        sql.push(
            " ON CONFLICT (id) DO UPDATE SET email = excluded.email, email_index = excluded.email_index, \
             signup_name = NULL, profile = excluded.profile, version = customers.version + 1, \
             profile_version = customers.version + 1, import_fingerprint = excluded.import_fingerprint, \
             created_at = excluded.created_at, updated_at = excluded.updated_at",
        );
        sql.execute(tx).await?;
    }
    Ok(())
}

/// Takes the addresses that an earlier import brought out of the books of `customers`.
pub(crate) async fn delete_addresses(tx: &mut Tx, customers: &[CustomerId]) -> Result<(), Error> {
    for customers in customers.chunks(ROWS) {
        let mut sql = Sql::new("DELETE FROM addresses WHERE is_imported = ");
        sql.bind(true).push(" AND customer_id IN ").bind_list(customers.iter().copied());
        sql.execute(tx).await?;
    }
    Ok(())
}

/// Those of `customers` who chose a default address themselves.
pub(crate) async fn with_default_address(
    connection: &mut Connection,
    customers: &[CustomerId],
) -> Result<Vec<CustomerId>, Error> {
    let mut found = Vec::new();
    for customers in customers.chunks(ROWS) {
        let mut sql = Sql::new("SELECT customer_id FROM addresses WHERE is_default = ");
        sql.bind(true).push(" AND customer_id IN ").bind_list(customers.iter().copied());
        let rows: Vec<(CustomerId,)> = sql.fetch_all(connection).await?;
        found.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

/// Adds addresses to books. None becomes the default of a customer in `decided`, who chose one.
pub(crate) async fn insert_addresses(
    tx: &mut Tx,
    addresses: &[ImportedAddress],
    decided: &HashSet<CustomerId>,
) -> Result<(), Error> {
    for addresses in addresses.chunks(ROWS) {
        let mut sql = Sql::new(
            "INSERT INTO addresses (id, customer_id, address, is_default, is_imported, version, created_at, \
             updated_at) VALUES ",
        );
        for (number, address) in addresses.iter().enumerate() {
            sql.push(if number == 0 { "" } else { ", " }).bind_list([
                Value::from(address.id),
                address.customer_id.into(),
                address.address.as_slice().into(),
                (address.is_default && !decided.contains(&address.customer_id)).into(),
                true.into(),
                1_i64.into(),
                address.created_at.into(),
                address.created_at.into(),
            ]);
        }
        sql.execute(tx).await?;
    }
    Ok(())
}
