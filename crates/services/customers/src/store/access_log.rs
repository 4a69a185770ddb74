use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{CustomerId, StaffId, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// That a member of the staff saw a customer's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Access {
    /// Who of the staff.
    pub(crate) staff_id: StaffId,
    /// How: `customer_read` or `customer_found_by_email`.
    pub(crate) action: String,
    /// In which request.
    pub(crate) request_id: String,
    /// When.
    pub(crate) accessed_at: Timestamp,
}

impl FromRow for Access {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            staff_id: row.get("staff_id")?,
            action: row.get("action")?,
            request_id: row.get("request_id")?,
            accessed_at: row.get("accessed_at")?,
        })
    }
}

/// Notes an access to the customer's data.
pub(crate) async fn append(tx: &mut Tx, customer: CustomerId, access: &Access) -> Result<(), Error> {
    let id: Uuid = tx.database().rng().uuid_v7(access.accessed_at);
    tx.execute(
        "INSERT INTO access_log (id, customer_id, staff_id, action, request_id, accessed_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        &params![
            id,
            customer,
            access.staff_id,
            access.action.as_str(),
            access.request_id.as_str(),
            access.accessed_at
        ],
    )
    .await?;
    Ok(())
}

/// Every access to the customer's data, the oldest first.
pub(crate) async fn history(connection: &mut Connection, customer: CustomerId) -> Result<Vec<Access>, Error> {
    connection
        .fetch_all(
            "SELECT staff_id, action, request_id, accessed_at FROM access_log WHERE customer_id = $1 ORDER BY id",
            &params![customer],
        )
        .await
}
