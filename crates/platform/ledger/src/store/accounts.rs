use std::collections::BTreeSet;

use database::{Connection, Error, FromRow, Row, Sql, Tx};
use kernel::{AccountId, Timestamp, TransferId};

use crate::model::{Account, Balance, Guard, Holding, Transfer};

database::text_values!(Guard);

impl FromRow for Holding {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account: Account {
                id: row.get("id")?,
                unit: row.get("unit")?,
                kind: row.get("kind")?,
                guard: row.get("guard")?,
            },
            balance: Balance::from_row(row)?,
        })
    }
}

impl FromRow for Balance {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            debits_pending: row.get("debits_pending")?,
            debits_posted: row.get("debits_posted")?,
            credits_pending: row.get("credits_pending")?,
            credits_posted: row.get("credits_posted")?,
        })
    }
}

const SELECT: &str = "SELECT id, unit, kind, guard, debits_pending, debits_posted, credits_pending, \
                      credits_posted FROM ledger_accounts WHERE id IN ";

/// The accounts as they are stored, by id.
pub(crate) async fn find_accounts(
    connection: &mut Connection,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<Holding>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.bind_list(ids).push(" ORDER BY id");
    sql.fetch_all(connection).await
}

/// The balances as they are at `now`: what is overdue by then weighs on nobody, released or not.
pub(crate) async fn balances_at(
    connection: &mut Connection,
    ids: &[AccountId],
    now: Timestamp,
) -> Result<Vec<(AccountId, Balance)>, Error> {
    let mut sql = Sql::new(
        "SELECT id, debits_posted, credits_posted, \
         debits_pending - (SELECT CAST(COALESCE(SUM(amount), 0) AS bigint) FROM ledger_transfers \
         WHERE kind = 'pending' AND resolution IS NULL AND debit_id = a.id AND expires_at <= ",
    );
    sql.bind(now).push(
        ") AS debits_pending, \
         credits_pending - (SELECT CAST(COALESCE(SUM(amount), 0) AS bigint) FROM ledger_transfers \
         WHERE kind = 'pending' AND resolution IS NULL AND credit_id = a.id AND expires_at <= ",
    );
    sql.bind(now).push(") AS credits_pending FROM ledger_accounts a WHERE id IN ");
    sql.bind_list(ids.iter().copied());
    let rows: Vec<BalanceRow> = sql.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.0, row.1)).collect())
}

struct BalanceRow(AccountId, Balance);

impl FromRow for BalanceRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("id")?, Balance::from_row(row)?))
    }
}

/// Locks these accounts, in the order of their ids, and reads them.
pub(crate) async fn lock_accounts(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<Holding>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.bind_list(ids).push(" ORDER BY id");
    tx.fetch_all_locked(sql.text(), sql.params()).await
}

/// Locks the accounts that the slice touches, in the order of their ids, and reads them: its own, those
/// of the pending transfers that it resolves, and those at the other end of pending transfers that are
/// due at `now` and still weigh on a guard, so that they can be released on the way.
pub(crate) async fn lock_for_slice(
    tx: &mut Tx,
    slice: &[Transfer],
    now: Timestamp,
) -> Result<Vec<Holding>, Error> {
    let debits: BTreeSet<AccountId> = slice.iter().filter_map(|it| Some(it.movement()?.debit)).collect();
    let credits: BTreeSet<AccountId> = slice.iter().filter_map(|it| Some(it.movement()?.credit)).collect();
    let resolved: BTreeSet<TransferId> = slice.iter().filter_map(Transfer::resolves).collect();

    let mut sql = Sql::new(SELECT);
    sql.push("(SELECT id FROM ledger_accounts WHERE id IN ").bind_list(debits.union(&credits).copied());
    if !debits.is_empty() {
        sql.push(
            " UNION SELECT t.credit_id FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.debit_id \
             WHERE a.guard = 'debits_must_not_exceed_credits' AND t.kind = 'pending' \
             AND t.resolution IS NULL AND t.expires_at <= ",
        );
        sql.bind(now).push(" AND t.debit_id IN ").bind_list(debits);
        sql.push(
            " UNION SELECT t.debit_id FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.credit_id \
             WHERE a.guard = 'credits_must_not_exceed_debits' AND t.kind = 'pending' \
             AND t.resolution IS NULL AND t.expires_at <= ",
        );
        sql.bind(now).push(" AND t.credit_id IN ").bind_list(credits);
    }
    if !resolved.is_empty() {
        sql.push(" UNION SELECT debit_id FROM ledger_transfers WHERE id IN ").bind_list(resolved.clone());
        sql.push(" UNION SELECT credit_id FROM ledger_transfers WHERE id IN ").bind_list(resolved);
    }
    sql.push(") ORDER BY id");
    tx.fetch_all_locked(sql.text(), sql.params()).await
}

/// Opens those accounts that are not open yet.
pub(crate) async fn insert_accounts(tx: &mut Tx, accounts: &[&Account]) -> Result<(), Error> {
    let mut sql = Sql::new(INSERT);
    for (index, account) in accounts.iter().enumerate() {
        push_row(&mut sql, index, account, &Balance::default());
    }
    sql.push(" ON CONFLICT (id) DO NOTHING");
    sql.execute(tx).await.map(|_| ())
}

/// Writes the balances of accounts that are open and locked. An upsert, because it is the one statement
/// that takes many rows on both engines; the rows are all there, so nothing is inserted.
pub(crate) async fn update_balances(tx: &mut Tx, holdings: &[Holding]) -> Result<(), Error> {
    if holdings.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(INSERT);
    for (index, holding) in holdings.iter().enumerate() {
        push_row(&mut sql, index, &holding.account, &holding.balance);
    }
    sql.push(
        " ON CONFLICT (id) DO UPDATE SET debits_pending = excluded.debits_pending, \
         debits_posted = excluded.debits_posted, credits_pending = excluded.credits_pending, \
         credits_posted = excluded.credits_posted",
    );
    sql.execute(tx).await.map(|_| ())
}

const INSERT: &str = "INSERT INTO ledger_accounts (id, unit, kind, guard, debits_pending, debits_posted, \
                      credits_pending, credits_posted) VALUES ";

fn push_row(sql: &mut Sql, index: usize, account: &Account, balance: &Balance) {
    sql.push(if index == 0 { "(" } else { ", (" });
    sql.bind(account.id).push(", ").bind(&account.unit).push(", ").bind(&account.kind).push(", ");
    sql.bind(account.guard).push(", ").bind(balance.debits_pending).push(", ").bind(balance.debits_posted);
    sql.push(", ").bind(balance.credits_pending).push(", ").bind(balance.credits_posted).push(")");
}
