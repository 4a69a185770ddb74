//! SQL of the sandbox, and nothing else.

use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{Currency, Money, PaymentId, RefundId};

use super::payment::{SandboxPayment, SandboxRefund, failure};

const PAYMENT: &str = "SELECT reference, id, token, currency, amount, captured, status, failure_code, challenge, \
     return_url, created_at, updated_at FROM sandbox_payments";

const REFUND: &str =
    "SELECT reference, id, payment, amount, status, created_at, updated_at FROM sandbox_refunds";

impl FromRow for SandboxPayment {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        let code: Option<String> = row.get("failure_code")?;
        Ok(Self {
            reference: row.get("reference")?,
            id: row.get("id")?,
            token: row.get("token")?,
            amount: Money::new(row.get("amount")?, currency),
            captured: row.get("captured")?,
            status: row.get("status")?,
            failure: code.as_deref().and_then(failure),
            challenge: row.get("challenge")?,
            return_url: row.get("return_url")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

impl FromRow for SandboxRefund {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            reference: row.get("reference")?,
            id: row.get("id")?,
            payment: row.get("payment")?,
            amount: row.get("amount")?,
            status: row.get("status")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Stores a new payment.
pub(super) async fn insert(tx: &mut Tx, payment: &SandboxPayment) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sandbox_payments (reference, id, token, currency, amount, captured, status, failure_code, \
         challenge, return_url, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            payment.reference,
            payment.id,
            payment.token,
            payment.amount.currency,
            payment.amount.amount,
            payment.captured,
            payment.status,
            payment.failure.map(|failure| failure.code),
            payment.challenge.clone(),
            payment.return_url.clone(),
            payment.created_at,
            payment.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Stores what has become of a payment.
pub(super) async fn update(tx: &mut Tx, payment: &SandboxPayment) -> Result<(), Error> {
    tx.execute(
        "UPDATE sandbox_payments SET captured = $2, status = $3, failure_code = $4, return_url = $5, \
         updated_at = $6 WHERE reference = $1",
        &params![
            payment.reference,
            payment.captured,
            payment.status,
            payment.failure.map(|failure| failure.code),
            payment.return_url.clone(),
            payment.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// The payment that its merchant calls so.
pub(super) async fn get(
    connection: &mut Connection,
    reference: PaymentId,
) -> Result<Option<SandboxPayment>, Error> {
    connection.fetch_optional(&format!("{PAYMENT} WHERE reference = $1"), &params![reference]).await
}

/// The same, which nobody else changes until this transaction ends.
pub(super) async fn lock(tx: &mut Tx, reference: PaymentId) -> Result<Option<SandboxPayment>, Error> {
    let found = tx.fetch_all_locked(&format!("{PAYMENT} WHERE reference = $1"), &params![reference]).await?;
    Ok(found.into_iter().next())
}

/// The payment whose page has this address, which nobody else changes until this transaction ends.
pub(super) async fn lock_by_challenge(tx: &mut Tx, challenge: &str) -> Result<Option<SandboxPayment>, Error> {
    let found = tx.fetch_all_locked(&format!("{PAYMENT} WHERE challenge = $1"), &params![challenge]).await?;
    Ok(found.into_iter().next())
}

/// The payment whose page has this address.
pub(super) async fn by_challenge(
    connection: &mut Connection,
    challenge: &str,
) -> Result<Option<SandboxPayment>, Error> {
    connection.fetch_optional(&format!("{PAYMENT} WHERE challenge = $1"), &params![challenge]).await
}

/// Stores a new refund.
pub(super) async fn insert_refund(tx: &mut Tx, refund: &SandboxRefund) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sandbox_refunds (reference, id, payment, amount, status, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![
            refund.reference,
            refund.id,
            refund.payment,
            refund.amount,
            refund.status,
            refund.created_at,
            refund.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Stores what has become of a refund.
pub(super) async fn update_refund(tx: &mut Tx, refund: &SandboxRefund) -> Result<(), Error> {
    let sql = "UPDATE sandbox_refunds SET status = $2, updated_at = $3 WHERE reference = $1";
    tx.execute(sql, &params![refund.reference, refund.status, refund.updated_at]).await?;
    Ok(())
}

/// The refund that its merchant calls so.
pub(super) async fn get_refund(
    connection: &mut Connection,
    reference: RefundId,
) -> Result<Option<SandboxRefund>, Error> {
    connection.fetch_optional(&format!("{REFUND} WHERE reference = $1"), &params![reference]).await
}

/// The refunds of a payment, oldest first.
pub(super) async fn refunds(
    connection: &mut Connection,
    payment: PaymentId,
) -> Result<Vec<SandboxRefund>, Error> {
    let sql = format!("{REFUND} WHERE payment = $1 ORDER BY created_at, reference");
    connection.fetch_all(&sql, &params![payment]).await
}
