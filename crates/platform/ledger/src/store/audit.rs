use database::{Connection, Error, FromRow, Row};
use kernel::{AccountId, TransferId};

use crate::model::Balance;

/// An account whose stored balances are not the sums of its transfers: id, stored, summed.
pub(crate) struct Misstated(pub(crate) AccountId, pub(crate) Balance, pub(crate) Balance);

impl FromRow for Misstated {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let summed = Balance {
            debits_pending: row.get("summed_debits_pending")?,
            debits_posted: row.get("summed_debits_posted")?,
            credits_pending: row.get("summed_credits_pending")?,
            credits_posted: row.get("summed_credits_posted")?,
        };
        Ok(Self(row.get("id")?, Balance::from_row(row)?, summed))
    }
}

/// At most `limit` accounts whose balances are not what their transfers add up to.
pub(crate) async fn misstated_accounts(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<Misstated>, Error> {
    let sql = "WITH effects AS (
            SELECT debit_id AS account_id,
                   CASE WHEN kind = 'pending' THEN amount ELSE 0 END AS debits_pending,
                   CASE WHEN kind = 'pending' THEN 0 ELSE amount END AS debits_posted,
                   0 AS credits_pending, 0 AS credits_posted
            FROM ledger_transfers WHERE kind <> 'void_pending' AND resolution IS NULL
            UNION ALL
            SELECT credit_id, 0, 0,
                   CASE WHEN kind = 'pending' THEN amount ELSE 0 END,
                   CASE WHEN kind = 'pending' THEN 0 ELSE amount END
            FROM ledger_transfers WHERE kind <> 'void_pending' AND resolution IS NULL
        ), summed AS (
            SELECT account_id,
                   CAST(SUM(debits_pending) AS bigint) AS debits_pending,
                   CAST(SUM(debits_posted) AS bigint) AS debits_posted,
                   CAST(SUM(credits_pending) AS bigint) AS credits_pending,
                   CAST(SUM(credits_posted) AS bigint) AS credits_posted
            FROM effects GROUP BY account_id
        ), compared AS (
            SELECT a.id, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted,
                   COALESCE(s.debits_pending, 0) AS summed_debits_pending,
                   COALESCE(s.debits_posted, 0) AS summed_debits_posted,
                   COALESCE(s.credits_pending, 0) AS summed_credits_pending,
                   COALESCE(s.credits_posted, 0) AS summed_credits_posted
            FROM ledger_accounts a LEFT JOIN summed s ON s.account_id = a.id
        )
        SELECT * FROM compared
        WHERE debits_pending <> summed_debits_pending OR debits_posted <> summed_debits_posted
           OR credits_pending <> summed_credits_pending OR credits_posted <> summed_credits_posted
        ORDER BY id LIMIT $1";
    connection.fetch_all(sql, &database::params![limit]).await
}

/// Units whose debits and credits differ: the unit, pending debits less credits, posted debits less
/// credits.
pub(crate) async fn unbalanced_units(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<(String, i64, i64)>, Error> {
    let sql = "WITH summed AS (
            SELECT unit,
                   CAST(SUM(debits_pending - credits_pending) AS bigint) AS pending,
                   CAST(SUM(debits_posted - credits_posted) AS bigint) AS posted
            FROM ledger_accounts GROUP BY unit
        )
        SELECT unit, pending, posted FROM summed WHERE pending <> 0 OR posted <> 0 ORDER BY unit LIMIT $1";
    connection.fetch_all(sql, &database::params![limit]).await
}

/// Transfers one of whose accounts is not open.
pub(crate) async fn unknown_accounts(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<(TransferId,)>, Error> {
    let sql = "SELECT t.id FROM ledger_transfers t
        WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.id = t.debit_id)
           OR NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.id = t.credit_id)
        ORDER BY t.id LIMIT $1";
    connection.fetch_all(sql, &database::params![limit]).await
}

/// Pending transfers whose end is not the one that the transfer which resolved them gave them.
pub(crate) async fn misresolved_transfers(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<(TransferId,)>, Error> {
    let sql = "SELECT p.id FROM ledger_transfers p LEFT JOIN ledger_transfers r ON r.pending_id = p.id
        WHERE p.kind = 'pending'
          AND (COALESCE(r.kind, 'none') <> CASE p.resolution
                   WHEN 'posted' THEN 'post_pending' WHEN 'voided' THEN 'void_pending' ELSE 'none' END
               OR r.amount > p.amount OR r.debit_id <> p.debit_id OR r.credit_id <> p.credit_id)
        ORDER BY p.id LIMIT $1";
    connection.fetch_all(sql, &database::params![limit]).await
}
