use database::{Database, Error, params};
use ledger::Discrepancy;
use testkit::TestDatabase;

use crate::support::*;

async fn tamper(db: &Database, sql: &'static str) -> Result<(), Error> {
    db.write(|mut tx| async move {
        tx.execute(sql, &params![account(STOCK)]).await?;
        tx.commit(()).await
    })
    .await
}

async fn discrepancies(db: &Database) -> Vec<Discrepancy> {
    ledger::verify(&mut db.read_primary().await.unwrap()).await.unwrap()
}

testkit::on_both_engines! {
    async fn the_table_itself_refuses_what_breaks_a_guard(db: TestDatabase) {
        stock(&db, 5).await;
        for sql in [
            "UPDATE ledger_accounts SET debits_pending = 6 WHERE id = $1",
            "UPDATE ledger_accounts SET debits_posted = 6 WHERE id = $1",
            "UPDATE ledger_accounts SET credits_posted = -1 WHERE id = $1",
        ] {
            let refused = tamper(&db, sql).await;
            assert!(matches!(refused, Err(Error::ConstraintViolation { .. })), "{sql}: {refused:?}");
        }
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn a_second_resolution_is_refused_by_the_table_too(db: TestDatabase) {
        stock(&db, 5).await;
        transfer(&db, &[pending(1, movement(STOCK, SOLD, 1)), post(2, 1, None)], START).await.unwrap();
        let sql = "INSERT INTO ledger_transfers (id, kind, debit_id, credit_id, amount, reference, recorded_at, \
                   pending_id) SELECT $1, kind, debit_id, credit_id, amount, reference, recorded_at, pending_id \
                   FROM ledger_transfers WHERE kind = 'post_pending'";
        let refused = db
            .write(|mut tx| async move {
                tx.execute(&sql.replace("$1", "debit_id"), &[]).await?;
                tx.commit(()).await
            })
            .await;
        assert!(matches!(refused, Err(Error::UniqueViolation { .. })), "{refused:?}");
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
/// Each way of tampering is found, and only that.
async fn verification_finds_what_was_tampered_with(db: TestDatabase) {
    stock(&db, 5).await;
    transfer(&db, &[pending(1, movement(STOCK, SOLD, 1)), void(2, 1)], START).await.unwrap();
    assert_eq!(discrepancies(&db).await, []);

    tamper(&db, "UPDATE ledger_accounts SET credits_posted = 6 WHERE id = $1").await.unwrap();
    let found = discrepancies(&db).await;
    assert_eq!(found.len(), 2, "{found:?}");
    match &found[0] {
        Discrepancy::Misstated { account: id, stored, summed } => {
            assert_eq!((*id, stored.credits_posted, summed.credits_posted), (account(STOCK), 6, 5));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(found[1], Discrepancy::Unbalanced { unit: "EUR".to_owned(), pending: 0, posted: -1 });
    tamper(&db, "UPDATE ledger_accounts SET credits_posted = 5 WHERE id = $1").await.unwrap();

    tamper(
        &db,
        "UPDATE ledger_transfers SET resolution = 'posted' WHERE resolution = 'voided' AND debit_id = $1",
    )
    .await
    .unwrap();
    assert_eq!(discrepancies(&db).await, [Discrepancy::Misresolved { transfer: id(1) }]);
    tamper(
        &db,
        "UPDATE ledger_transfers SET resolution = 'voided' WHERE resolution = 'posted' AND debit_id = $1",
    )
    .await
    .unwrap();

    tamper(&db, "DELETE FROM ledger_accounts WHERE id <> $1 AND kind = 'test' AND credits_posted = 0 AND debits_posted = 0")
        .await
        .unwrap();
    let found = discrepancies(&db).await;
    assert!(found.contains(&Discrepancy::AccountMissing { transfer: id(1) }), "{found:?}");
}
}

testkit::on_both_engines! {
    async fn every_column_is_declared(db: TestDatabase) {
        migrate(&db).await;
        let live = db.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(ledger::COLUMNS, &live), [""; 0]);
    }
}
