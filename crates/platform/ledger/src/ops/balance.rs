use std::collections::HashMap;

use database::Connection;
use kernel::{AccountId, Timestamp};

use crate::error::LedgerError;
use crate::model::{Balance, MAX_SLICE};
use crate::store;

/// The balances of one account at `now`; pending transfers that are overdue then do not count.
///
/// # Errors
/// [`LedgerError::UnknownAccount`] when it is not open.
pub async fn balance(
    connection: &mut Connection,
    account: AccountId,
    now: Timestamp,
) -> Result<Balance, LedgerError> {
    balances(connection, &[account], now)
        .await?
        .remove(&account)
        .ok_or(LedgerError::UnknownAccount { account })
}

/// The balances of many accounts at `now`, as [`balance`]; those that are not open are absent.
///
/// # Errors
/// When the database does not answer.
pub async fn balances(
    connection: &mut Connection,
    accounts: &[AccountId],
    now: Timestamp,
) -> Result<HashMap<AccountId, Balance>, LedgerError> {
    let mut found = HashMap::with_capacity(accounts.len());
    for chunk in accounts.chunks(MAX_SLICE) {
        found.extend(store::balances_at(connection, chunk, now).await?);
    }
    Ok(found)
}
