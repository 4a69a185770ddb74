use std::sync::Arc;

use database::Database;
use futures_util::future::join_all;
use kernel::{Rng, Timestamp};
use ledger::{Guard, LedgerError, Refusal, Transfer};
use testkit::TestDatabase;
use tokio::sync::Barrier;

use crate::support::*;

/// Runs every slice in a task of its own, all at once.
async fn race(db: &Database, slices: Vec<Vec<Transfer>>, now: Timestamp) -> Vec<Result<(), LedgerError>> {
    let start = Arc::new(Barrier::new(slices.len()));
    let tasks = slices.into_iter().map(|slice| {
        let (db, start) = (db.clone(), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            transfer(&db, &slice, now).await
        })
    });
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn count_and_check_losers(results: &[Result<(), LedgerError>]) -> usize {
    for result in results {
        assert!(matches!(result, Ok(()) | Err(LedgerError::Exceeds(_))), "{result:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

testkit::on_both_engines! {
    async fn of_200_takers_of_the_last_unit_one_gets_it(db: TestDatabase) {
        stock(&db, 1).await;
        let slices = (1..=200).map(|it| vec![pending(it, movement(STOCK, SOLD, 1))]).collect();
        assert_eq!(count_and_check_losers(&race(&db, slices, START).await), 1);
        assert_eq!(balance(&db, STOCK, START).await.credit_available(), 0);
        assert_eq!(balance(&db, SOLD, START).await.credits_pending, 1);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn of_200_takers_of_the_last_unit_that_an_overdue_one_holds_one_gets_it(db: TestDatabase) {
        stock(&db, 1).await;
        transfer(&db, &[pending(1_000, movement(STOCK, SOLD, 1))], START).await.unwrap();
        let over = START.plus(MINUTE);
        let slices = (1..=200).map(|it| vec![pending(it, movement(STOCK, SOLD, 1))]).collect();
        let (tidied, results) =
            tokio::join!(join_all((0..5).map(|_| expire_due(&db, over, 10))), race(&db, slices, over));
        assert_eq!(count_and_check_losers(&results), 1);
        let released: usize = tidied.into_iter().map(|released| released.unwrap().len()).sum();
        assert!(released <= 1, "{released}");
        assert_eq!(balance(&db, STOCK, over).await.debits_pending, 1);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn carts_that_share_lines_in_any_order_neither_oversell_nor_deadlock(db: TestDatabase) {
        // Six variants with 40 units each, and 120 carts of three lines in any order.
        let variants: Vec<u128> = (10..16).collect();
        let mut accounts = vec![plain(WORLD), plain(SOLD)];
        accounts.extend(variants.iter().map(|it| guarded(*it, Guard::DebitsMustNotExceedCredits)));
        migrate(&db).await;
        open_accounts(&db, &accounts).await.unwrap();
        let deliveries: Vec<_> = variants.iter().map(|it| single(*it, movement(WORLD, *it, 40))).collect();
        transfer(&db, &deliveries, START).await.unwrap();
        let rng = Rng::seeded(7);
        let pick = |count: u64| rng.below(count);
        let carts: Vec<Vec<Transfer>> = (1..=120_u128)
            .map(|cart| {
                (0..3)
                    .map(|line| {
                        let variant = variants[pick(6) as usize];
                        pending(cart * 1_000 + line, movement(variant, SOLD, 1 + pick(2) as i64))
                    })
                    .collect()
            })
            .collect();
        let wanted: i64 = carts.iter().flatten().map(amount).sum();
        let results = race(&db, carts.clone(), START).await;
        let served = count_and_check_losers(&results);
        let reserved: i64 = carts
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.is_ok())
            .flat_map(|(cart, _)| cart.iter().map(amount))
            .sum();
        assert!(wanted > 240 && served < 120, "the test must have losers: {wanted} {served}");
        assert_eq!(balance(&db, SOLD, START).await.credits_pending, reserved);
        for variant in variants {
            assert!(balance(&db, variant, START).await.credit_available() >= 0);
        }
        assert_sound(&db).await;
    }
}

fn amount(transfer: &Transfer) -> i64 {
    match transfer.kind {
        ledger::TransferKind::Pending { movement, .. } => movement.amount,
        _ => 0,
    }
}

testkit::on_both_engines! {
    async fn fifty_attempts_at_the_same_transfer_are_one(db: TestDatabase) {
        stock(&db, 10).await;
        let slices = vec![vec![single(1, movement(STOCK, SOLD, 3))]; 50];
        assert!(race(&db, slices, START).await.iter().all(Result::is_ok));
        assert_eq!(balance(&db, STOCK, START).await.debits_posted, 3);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn of_a_post_and_a_void_that_race_one_wins(db: TestDatabase) {
        stock(&db, 30).await;
        for round in 1..=15_u128 {
            transfer(&db, &[pending(round, movement(STOCK, SOLD, 2))], START).await.unwrap();
            let slices = vec![
                vec![post(100 + round, round, None)],
                vec![void(200 + round, round)],
                vec![post(300 + round, round, Some(1))],
            ];
            let results = race(&db, slices, START).await;
            assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 1, "{results:?}");
            for result in results.into_iter().filter_map(Result::err) {
                let lost = matches!(
                    result,
                    LedgerError::Refused { refusal: Refusal::AlreadyPosted | Refusal::AlreadyVoided, .. }
                );
                assert!(lost, "{result:?}");
            }
        }
        assert_eq!(balance(&db, STOCK, START).await.debits_pending, 0);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn ten_that_tidy_up_at_once_release_each_once(db: TestDatabase) {
        stock(&db, 100).await;
        let reserve: Vec<_> = (1..=60).map(|it| pending(it, movement(STOCK, SOLD, 1))).collect();
        transfer(&db, &reserve, START).await.unwrap();
        let over = START.plus(MINUTE);
        let tidied = join_all((0..10).map(|_| expire_due(&db, over, 20))).await;
        let mut released: Vec<_> = tidied.into_iter().flat_map(Result::unwrap).collect();
        loop {
            let rest = expire_due(&db, over, 20).await.unwrap();
            if rest.is_empty() {
                break;
            }
            released.extend(rest);
        }
        released.sort_unstable();
        assert_eq!(released, (1..=60).map(id).collect::<Vec<_>>());
        assert_eq!(balance(&db, STOCK, over).await.credit_available(), 100);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn accounts_can_be_opened_by_many_at_once(db: TestDatabase) {
        let accounts: Vec<_> = (0..40).map(plain).collect();
        let mut reversed = accounts.clone();
        reversed.reverse();
        migrate(&db).await;
        let tasks = (0..10).map(|it| open_accounts(&db, if it % 2 == 0 { &accounts } else { &reversed }));
        for opened in join_all(tasks).await {
            opened.unwrap();
        }
        assert_eq!(balance(&db, 39, START).await, ledger::Balance::default());
        assert_sound(&db).await;
    }
}
