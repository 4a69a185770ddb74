use std::collections::HashMap;

use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{CustomerId, SellerId, Timestamp};
use uuid::Uuid;
use web::Role;

use crate::model::account::{Kind, Subject};

/// An account as it is stored.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) subject: Subject,
    pub(crate) roles: Vec<Role>,
    pub(crate) seller: Option<SellerId>,
    /// The blind index of the address.
    pub(crate) address_index: [u8; 32],
    /// The address, sealed under the person's key.
    pub(crate) address: Vec<u8>,
    pub(crate) verified_at: Option<Timestamp>,
    pub(crate) password_hash: Option<String>,
    pub(crate) password_set_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let kind: Kind = row.get("kind")?;
        // A role that this release does not know permits nothing, and so is left out.
        let roles: Vec<Role> = serde_json::from_value(row.get("roles")?).unwrap_or_default();
        Ok(Self {
            subject: Subject::new(kind, row.get("id")?),
            roles,
            seller: row.get("seller_id")?,
            address_index: row.get("address_index")?,
            address: row.get("address")?,
            verified_at: row.get("verified_at")?,
            password_hash: row.get("password_hash")?,
            password_set_at: row.get("password_set_at")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl Account {
    /// A customer's account that nobody can sign in to yet.
    pub(crate) fn new(
        subject: Subject,
        address_index: [u8; 32],
        address: Vec<u8>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            subject,
            roles: Vec::new(),
            seller: None,
            address_index,
            address,
            verified_at: None,
            password_hash: None,
            password_set_at: None,
            created_at,
        }
    }

    fn roles_json(&self) -> serde_json::Value {
        self.roles.iter().map(|role| role.as_str()).collect()
    }
}

pub(crate) async fn by_address(
    connection: &mut Connection,
    index: &[u8; 32],
) -> Result<Option<Account>, Error> {
    connection.fetch_optional("SELECT * FROM accounts WHERE address_index = $1", &params![index]).await
}

/// The hash of the account whose address index follows `index` most closely, or of the first one. Indexes are
/// as good as random, so an address without account always meets the same neighbour, and among many such
/// addresses every sort of hash is as frequent as among the accounts.
pub(crate) async fn hash_near(
    connection: &mut Connection,
    index: &[u8; 32],
) -> Result<Option<String>, Error> {
    for from in [index, &[0; 32]] {
        let found: Option<(String,)> = connection
            .fetch_optional(
                "SELECT password_hash FROM accounts WHERE address_index > $1 AND verified_at IS NOT NULL \
                 AND password_hash IS NOT NULL ORDER BY address_index LIMIT 1",
                &params![from],
            )
            .await?;
        if found.is_some() {
            return Ok(found.map(|(hash,)| hash));
        }
    }
    Ok(None)
}

pub(crate) async fn by_id(connection: &mut Connection, id: Uuid) -> Result<Option<Account>, Error> {
    connection.fetch_optional("SELECT * FROM accounts WHERE id = $1", &params![id]).await
}

/// Those of `ids` or `indexes` that exist, as `(id, address_index, verified, has a password)`.
pub(crate) async fn known(
    connection: &mut Connection,
    ids: &[Uuid],
    indexes: &[[u8; 32]],
) -> Result<Vec<(Uuid, [u8; 32], Option<Timestamp>, Option<String>)>, Error> {
    let mut sql = Sql::new("SELECT id, address_index, verified_at, password_hash FROM accounts WHERE id IN ");
    sql.bind_list(ids.iter().copied()).push(" OR address_index IN ").bind_list(indexes);
    sql.fetch_all(connection).await
}

/// The customers with these addresses.
pub(crate) async fn customers(
    connection: &mut Connection,
    indexes: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], CustomerId>, Error> {
    let mut sql = Sql::new("SELECT address_index, id FROM accounts WHERE kind = ");
    sql.bind(Kind::Customer).push(" AND address_index IN ").bind_list(indexes);
    Ok(sql.fetch_all(connection).await?.into_iter().collect())
}

pub(crate) async fn insert(tx: &mut Tx, account: &Account) -> Result<(), Error> {
    insert_all(tx, std::slice::from_ref(account)).await
}

/// Inserts all of them in one statement.
pub(crate) async fn insert_all(tx: &mut Tx, accounts: &[Account]) -> Result<(), Error> {
    if accounts.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "INSERT INTO accounts (id, kind, roles, seller_id, address_index, address, verified_at, password_hash, \
         password_set_at, created_at) VALUES ",
    );
    for (number, account) in accounts.iter().enumerate() {
        sql.push(if number == 0 { "" } else { ", " }).bind_list([
            database::Value::from(account.subject.uuid()),
            account.subject.kind().into(),
            account.roles_json().into(),
            account.seller.into(),
            account.address_index.into(),
            account.address.as_slice().into(),
            account.verified_at.into(),
            account.password_hash.clone().into(),
            account.password_set_at.into(),
            account.created_at.into(),
        ]);
    }
    sql.execute(tx).await?;
    Ok(())
}

/// Marks the address as proved at `now`, unless it was before; whether it was not.
pub(crate) async fn verify(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "UPDATE accounts SET verified_at = $2 WHERE id = $1 AND verified_at IS NULL",
            &params![id, now],
        )
        .await?;
    Ok(changed == 1)
}

/// Sets the password, or with `None` takes it away.
pub(crate) async fn set_password(
    tx: &mut Tx,
    id: Uuid,
    hash: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE accounts SET password_hash = $2, password_set_at = $3 WHERE id = $1",
        &params![id, hash, hash.map(|_| now)],
    )
    .await?;
    Ok(())
}

/// Sets the password of an account that has none.
pub(crate) async fn set_missing_password(
    tx: &mut Tx,
    id: Uuid,
    hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE accounts SET password_hash = $2, password_set_at = $3 WHERE id = $1 AND password_hash IS NULL",
        &params![id, hash, now],
    )
    .await?;
    Ok(())
}

/// Puts `new` in the place of the hash `old` of the same password, unless it was changed meanwhile.
pub(crate) async fn rehash(tx: &mut Tx, id: Uuid, old: &str, new: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        &params![id, old, new],
    )
    .await?;
    Ok(())
}

/// Sets what a member of the staff may do.
pub(crate) async fn set_roles(tx: &mut Tx, account: &Account) -> Result<(), Error> {
    tx.execute(
        "UPDATE accounts SET roles = $2, seller_id = $3 WHERE id = $1 AND kind = $4",
        &params![account.subject.uuid(), account.roles_json(), account.seller, Kind::Staff],
    )
    .await?;
    Ok(())
}

/// Deletes the account; its address index, if there was one.
pub(crate) async fn delete(tx: &mut Tx, id: Uuid) -> Result<Option<[u8; 32]>, Error> {
    let deleted: Option<([u8; 32],)> =
        tx.fetch_optional("DELETE FROM accounts WHERE id = $1 RETURNING address_index", &params![id]).await?;
    Ok(deleted.map(|(index,)| index))
}
