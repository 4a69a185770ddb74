use std::time::Duration;

use database::{Database, Isolation};
use kernel::{AccountId, Timestamp, TransferId};
use ledger::{Account, Balance, Guard, LedgerError, Movement, Transfer};
use uuid::Uuid;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// An empty ledger.
pub(crate) async fn migrate(db: &Database) {
    db.migrate("ledger", ledger::MIGRATIONS).await.unwrap();
}

pub(crate) fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn id(number: u128) -> TransferId {
    TransferId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn movement(debit: u128, credit: u128, amount: i64) -> Movement {
    Movement { debit: account(debit), credit: account(credit), amount }
}

pub(crate) fn single(number: u128, movement: Movement) -> Transfer {
    Transfer::single(id(number), movement, "test")
}

pub(crate) fn pending(number: u128, movement: Movement) -> Transfer {
    Transfer::pending(id(number), movement, MINUTE, "test")
}

pub(crate) fn post(number: u128, pending: u128, amount: Option<i64>) -> Transfer {
    Transfer::post(id(number), id(pending), amount, "test")
}

pub(crate) fn void(number: u128, pending: u128) -> Transfer {
    Transfer::void(id(number), id(pending), "test")
}

pub(crate) fn plain(number: u128) -> Account {
    Account { id: account(number), unit: "EUR".to_owned(), kind: "test".to_owned(), guard: Guard::None }
}

pub(crate) fn guarded(number: u128, guard: Guard) -> Account {
    Account { guard, ..plain(number) }
}

/// Accounts 1 (the world), 2 (stock, guarded, holding `held`) and 3 (sold).
pub(crate) const WORLD: u128 = 1;
pub(crate) const STOCK: u128 = 2;
pub(crate) const SOLD: u128 = 3;

pub(crate) async fn stock(db: &Database, held: i64) {
    migrate(db).await;
    let accounts = [plain(WORLD), guarded(STOCK, Guard::DebitsMustNotExceedCredits), plain(SOLD)];
    open_accounts(db, &accounts).await.unwrap();
    transfer(db, &[single(u128::MAX, movement(WORLD, STOCK, held))], START).await.unwrap();
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
    ledger::balance(&mut db.read_primary().await.unwrap(), account(number), now).await.unwrap()
}

pub(crate) async fn assert_sound(db: &Database) {
    assert_eq!(ledger::verify(&mut db.read_primary().await.unwrap()).await.unwrap(), []);
}
