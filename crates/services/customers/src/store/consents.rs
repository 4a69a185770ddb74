use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::CustomerId;

use crate::model::consent::Decision;

impl FromRow for Decision {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            purpose: row.get("purpose")?,
            granted: row.get("granted")?,
            text_version: row.get("text_version")?,
            source: row.get("source")?,
            decided_at: row.get("decided_at")?,
        })
    }
}

/// The customer's latest decision on each purpose they ever decided on.
pub(crate) async fn latest(
    connection: &mut Connection,
    customer: CustomerId,
) -> Result<Vec<Decision>, Error> {
    connection
        .fetch_all(
            "SELECT purpose, granted, text_version, source, decided_at FROM consents AS latest \
             WHERE customer_id = $1 AND number = (SELECT MAX(number) FROM consents AS every \
             WHERE every.customer_id = $1 AND every.purpose = latest.purpose) ORDER BY purpose",
            &params![customer],
        )
        .await
}

/// Every decision of the customer, by purpose, the oldest first.
pub(crate) async fn history(
    connection: &mut Connection,
    customer: CustomerId,
) -> Result<Vec<Decision>, Error> {
    connection
        .fetch_all(
            "SELECT purpose, granted, text_version, source, decided_at FROM consents \
             WHERE customer_id = $1 ORDER BY purpose, number",
            &params![customer],
        )
        .await
}

/// Adds a decision to the customer's history.
pub(crate) async fn append(tx: &mut Tx, customer: CustomerId, decision: &Decision) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO consents (customer_id, purpose, number, granted, text_version, source, decided_at) \
         SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6 FROM consents \
         WHERE customer_id = $1 AND purpose = $2",
        &params![
            customer,
            decision.purpose.as_str(),
            decision.granted,
            decision.text_version.as_str(),
            decision.source.as_str(),
            decision.decided_at
        ],
    )
    .await?;
    Ok(())
}

/// Throws the customer's history away.
pub(crate) async fn delete_all(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    tx.execute("DELETE FROM consents WHERE customer_id = $1", &params![customer]).await?;
    Ok(())
}
