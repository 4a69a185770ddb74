use std::time::Duration;

use database::{Database, DatabaseConfig, Isolation, PostgresConfig};
use kernel::{AccountId, Clock, Rng, Timestamp, TransferId};
use ledger::{Account, Balance, Guard, LedgerError, Movement, Transfer};
use tempfile::TempDir;
use testkit::engines::Postgres;
use uuid::Uuid;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Runs one test on both engines.
macro_rules! on_both_engines {
    ($(#[$meta:meta])* async fn $name:ident($db:ident: Database) $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn run($db: &database::Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let ground = $crate::support::sqlite().await;
                run(&ground.db).await;
                $crate::support::assert_sound(&ground.db).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let ground = $crate::support::postgres().await;
                run(&ground.db).await;
                $crate::support::assert_sound(&ground.db).await;
            }
        }
    };
}

/// A database of the test's own, and the folder that it may use.
pub(crate) struct Ground {
    pub(crate) db: Database,
    _folder: TempDir,
}

pub(crate) async fn sqlite() -> Ground {
    ground(DatabaseConfig::default()).await
}

pub(crate) async fn postgres() -> Ground {
    let url = Postgres::shared().await.create_database("ledger").await;
    ground(DatabaseConfig::Postgres(PostgresConfig::new(url))).await
}

async fn ground(config: DatabaseConfig) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let db =
        Database::open(&config, "ledger", folder.path(), Clock::manual(START), Rng::system()).await.unwrap();
    db.migrate("ledger", ledger::MIGRATIONS).await.unwrap();
    Ground { db, _folder: folder }
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
