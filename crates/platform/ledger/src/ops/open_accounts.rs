use std::collections::BTreeMap;

use database::Tx;
use kernel::AccountId;

use crate::error::LedgerError;
use crate::model::{Account, MAX_SLICE, MAX_TEXT_LEN};
use crate::store;

/// Opens accounts with balances of zero. An account that is open already with the same unit, kind and
/// guard is left as it is, so this may be called again at will.
///
/// # Errors
/// [`LedgerError::AccountDiffers`] when one is open with another unit, kind or guard.
pub async fn open_accounts(tx: &mut Tx, accounts: &[Account]) -> Result<(), LedgerError> {
    // In the order of their ids: two callers that open the same accounts must not wait for each other.
    let mut wanted: BTreeMap<AccountId, &Account> = BTreeMap::new();
    for account in accounts {
        let fits = account.unit.len() <= MAX_TEXT_LEN && account.kind.len() <= MAX_TEXT_LEN;
        let other = wanted.insert(account.id, account).filter(|other| *other != account);
        if !fits || other.is_some() {
            return Err(LedgerError::AccountDiffers { account: account.id });
        }
    }
    let wanted: Vec<&Account> = wanted.into_values().collect();
    for chunk in wanted.chunks(MAX_SLICE) {
        store::insert_accounts(tx, chunk).await?;
        let open = store::find_accounts(tx, chunk.iter().map(|account| account.id)).await?;
        for (account, holding) in chunk.iter().zip(&open) {
            if **account != holding.account {
                return Err(LedgerError::AccountDiffers { account: account.id });
            }
        }
    }
    Ok(())
}
