use database::Connection;
use kernel::{AccountId, TransferId};

use crate::error::LedgerError;
use crate::model::Balance;
use crate::store;

/// The most findings of each sort that [`verify`] returns.
const LIMIT: u32 = 100;

/// Something in the ledger's tables that the ledger would not have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discrepancy {
    /// The balances of an account are not the sums of its transfers.
    Misstated {
        /// The account.
        account: AccountId,
        /// What is stored.
        stored: Balance,
        /// What its transfers add up to.
        summed: Balance,
    },
    /// The debits and credits of a unit differ.
    Unbalanced {
        /// The unit.
        unit: String,
        /// Pending debits less pending credits.
        pending: i64,
        /// Posted debits less posted credits.
        posted: i64,
    },
    /// An account of a transfer is not open.
    AccountMissing {
        /// The transfer.
        transfer: TransferId,
    },
    /// A pending transfer ended otherwise than the transfer that resolved it says.
    Misresolved {
        /// The pending transfer.
        transfer: TransferId,
    },
}

/// Adds up the whole ledger anew: every balance is the sum of its transfers, debits and credits of every
/// unit are equal, and every pending transfer ended as recorded. An empty answer means that it is sound;
/// otherwise the first hundred findings of each sort. Reads everything, so run it where that is fine,
/// and in one transaction when transfers go on meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(connection: &mut Connection) -> Result<Vec<Discrepancy>, LedgerError> {
    let mut found = Vec::new();
    for row in store::misstated_accounts(connection, LIMIT).await? {
        found.push(Discrepancy::Misstated { account: row.0, stored: row.1, summed: row.2 });
    }
    for (unit, pending, posted) in store::unbalanced_units(connection, LIMIT).await? {
        found.push(Discrepancy::Unbalanced { unit, pending, posted });
    }
    for (transfer,) in store::unknown_accounts(connection, LIMIT).await? {
        found.push(Discrepancy::AccountMissing { transfer });
    }
    for (transfer,) in store::misresolved_transfers(connection, LIMIT).await? {
        found.push(Discrepancy::Misresolved { transfer });
    }
    Ok(found)
}
