use contracts::payments::{Decline, PaymentStatus};
use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, CustomerId, Money, OrderId, PaymentId, Timestamp};

use crate::model::{Asked, Card, Payment};

/// `SELECT` of everything, to which conditions are added.
const SELECT: &str = "SELECT id, order_id, customer_id, provider, method, card_brand, card_last4, currency, amount, \
     captured, refunded, stage, attempt_id, attempt_operation, attempt_lost, void_wanted, action_url, \
     decline_reason, provider_reason, provider_reference, version, created_at, updated_at FROM payments";

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        let brand: Option<String> = row.get("card_brand")?;
        let reason: Option<String> = row.get("decline_reason")?;
        let asked = match (row.get("attempt_id")?, row.get("attempt_operation")?) {
            (Some(attempt), Some(operation)) => {
                Some(Asked { attempt, operation, lost: row.get("attempt_lost")? })
            }
            _ => None,
        };
        let last4: Option<String> = row.get("card_last4")?;
        let provider_reason = row.get("provider_reason")?;
        Ok(Self {
            id: row.get("id")?,
            order_id: row.get("order_id")?,
            customer_id: row.get("customer_id")?,
            provider: row.get("provider")?,
            method: row.get("method")?,
            card: brand.zip(last4).map(|(brand, last4)| Card { brand, last4 }),
            amount: Money::new(row.get("amount")?, currency),
            captured: row.get("captured")?,
            refunded: row.get("refunded")?,
            stage: row.get("stage")?,
            asked,
            void_wanted: row.get("void_wanted")?,
            action_url: row.get("action_url")?,
            decline: reason.map(|reason| Decline { reason, provider_reason }),
            provider_reference: row.get("provider_reference")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Stores a new payment; `false` when there is one with this id.
pub(crate) async fn insert(tx: &mut Tx, payment: &Payment) -> Result<bool, Error> {
    let inserted = tx
        .execute(
            "INSERT INTO payments (id, order_id, customer_id, provider, method, currency, amount, captured, \
             refunded, stage, status, attempt_id, attempt_operation, attempt_lost, void_wanted, version, \
             created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
             ON CONFLICT (id) DO NOTHING",
            &params![
                payment.id,
                payment.order_id,
                payment.customer_id,
                &payment.provider,
                &payment.method,
                payment.amount.currency,
                payment.amount.amount,
                payment.captured,
                payment.refunded,
                payment.stage,
                payment.status().as_str(),
                payment.asked.map(|asked| asked.attempt),
                payment.asked.map(|asked| asked.operation),
                payment.asked.is_some_and(|asked| asked.lost),
                payment.void_wanted,
                payment.version,
                payment.created_at,
                payment.updated_at,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Stores what a payment, locked in this transaction, has become.
pub(crate) async fn update(tx: &mut Tx, payment: &Payment) -> Result<(), Error> {
    let decline = payment.decline.as_ref();
    tx.execute(
        "UPDATE payments SET card_brand = $2, card_last4 = $3, captured = $4, refunded = $5, stage = $6, \
         status = $7, attempt_id = $8, attempt_operation = $9, attempt_lost = $10, void_wanted = $11, \
         action_url = $12, decline_reason = $13, provider_reason = $14, provider_reference = $15, \
         version = $16, updated_at = $17 WHERE id = $1",
        &params![
            payment.id,
            payment.card.as_ref().map(|card| card.brand.clone()),
            payment.card.as_ref().map(|card| card.last4.clone()),
            payment.captured,
            payment.refunded,
            payment.stage,
            payment.status().as_str(),
            payment.asked.map(|asked| asked.attempt),
            payment.asked.map(|asked| asked.operation),
            payment.asked.is_some_and(|asked| asked.lost),
            payment.void_wanted,
            payment.action_url.clone(),
            decline.map(|decline| decline.reason.clone()),
            decline.and_then(|decline| decline.provider_reason.clone()),
            payment.provider_reference.clone(),
            payment.version,
            payment.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// The payment, whoever asks: callers check whose it is before they show it.
pub(crate) async fn get(connection: &mut Connection, payment: PaymentId) -> Result<Option<Payment>, Error> {
    connection.fetch_optional(&format!("{SELECT} WHERE id = $1"), &params![payment]).await
}

/// The payment when it is `customer`'s.
pub(crate) async fn get_of(
    connection: &mut Connection,
    payment: PaymentId,
    customer: CustomerId,
) -> Result<Option<Payment>, Error> {
    let sql = format!("{SELECT} WHERE id = $1 AND customer_id = $2");
    connection.fetch_optional(&sql, &params![payment, customer]).await
}

/// The payment, which nobody else changes until this transaction ends.
pub(crate) async fn lock(tx: &mut Tx, payment: PaymentId) -> Result<Option<Payment>, Error> {
    let found = tx.fetch_all_locked(&format!("{SELECT} WHERE id = $1"), &params![payment]).await?;
    Ok(found.into_iter().next())
}

/// Which payments a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<PaymentStatus>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_to: Option<Timestamp>,
}

/// Where a page of a list ends: the newest come first.
pub(crate) type Key = (Timestamp, PaymentId);

/// Up to `limit` payments after `after`.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Payment>, Error> {
    let mut sql = Sql::new(SELECT);
    // Every condition but the first begins alike.
    sql.push(" WHERE created_at >= ").bind(filter.created_from.unwrap_or(Timestamp::EPOCH));
    if let Some(to) = filter.created_to {
        sql.push(" AND created_at < ").bind(to);
    }
    if let Some(status) = filter.status {
        sql.push(" AND status = ").bind(status.as_str());
    }
    if let Some(order) = filter.order_id {
        sql.push(" AND order_id = ").bind(order);
    }
    if let Some(customer) = filter.customer_id {
        sql.push(" AND customer_id = ").bind(customer);
    }
    if let Some((at, id)) = after {
        sql.push(" AND (created_at, id) < (").bind(at).push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(limit);
    sql.fetch_all(connection).await
}

/// Closes the id of a payment that nobody has heard of, so that none begins under it later.
pub(crate) async fn close(tx: &mut Tx, payment: PaymentId, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO closed_payments (id, closed_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    tx.execute(sql, &params![payment, now]).await?;
    Ok(())
}

/// Whether the id was closed.
pub(crate) async fn is_closed(tx: &mut Tx, payment: PaymentId) -> Result<bool, Error> {
    let found: Option<(PaymentId,)> =
        tx.fetch_optional("SELECT id FROM closed_payments WHERE id = $1", &params![payment]).await?;
    Ok(found.is_some())
}

/// Forgets which cards a person paid with.
pub(crate) async fn erase_cards(tx: &mut Tx, customer: CustomerId) -> Result<u64, Error> {
    let sql = "UPDATE payments SET card_brand = NULL, card_last4 = NULL WHERE customer_id = $1";
    tx.execute(sql, &params![customer]).await
}
