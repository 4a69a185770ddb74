use std::time::Duration;

use database::{Database, DatabaseConfig, Isolation};
use kernel::{AccountId, Clock, Rng, Timestamp, TransferId};
use ledger::{Account, Balance, Guard, LedgerError, Movement, Transfer};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn id(number: u128) -> TransferId {
    TransferId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn movement(debit: u128, credit: u128, amount: i64) -> Movement {
    Movement { debit: account(debit), credit: account(credit), amount }
}

pub(crate) fn open(number: u128, unit: &str, guard: Guard) -> Account {
    Account { id: account(number), unit: unit.to_owned(), kind: "test".to_owned(), guard }
}

pub(crate) async fn sqlite(folder: &TempDir) -> Database {
    let config = DatabaseConfig::default();
    let db =
        Database::open(&config, "ledger", folder.path(), Clock::manual(START), Rng::system()).await.unwrap();
    db.migrate("ledger", ledger::MIGRATIONS).await.unwrap();
    db
}

pub(crate) async fn open_accounts(db: &Database, accounts: &[Account]) -> Result<(), LedgerError> {
    db.write_with(Isolation::ReadCommitted, |mut tx| async move {
        ledger::open_accounts(&mut tx, accounts).await?;
        Ok(tx.commit(()).await?)
    })
    .await
}

pub(crate) async fn transfer(db: &Database, slice: &[Transfer], now: Timestamp) -> Result<(), LedgerError> {
    db.write_with(Isolation::ReadCommitted, |mut tx| async move {
        ledger::transfer(&mut tx, slice, now).await?;
        Ok(tx.commit(()).await?)
    })
    .await
}

pub(crate) async fn expire_due(
    db: &Database,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<TransferId>, LedgerError> {
    db.write_with(Isolation::ReadCommitted, |mut tx| async move {
        let released = ledger::expire_due(&mut tx, now, limit).await?;
        Ok(tx.commit(released).await?)
    })
    .await
}

pub(crate) async fn balance(db: &Database, number: u128, now: Timestamp) -> Balance {
    ledger::balance(&mut *db.read_primary().await.unwrap(), account(number), now).await.unwrap()
}

pub(crate) async fn assert_sound(db: &Database) {
    assert_eq!(ledger::verify(&mut *db.read_primary().await.unwrap()).await.unwrap(), []);
}
