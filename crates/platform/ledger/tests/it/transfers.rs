use ledger::{Balance, Guard, LedgerError, MAX_SLICE, Refusal, Shortfall, Transfer};
use testkit::TestDatabase;

use crate::support::*;

fn refusal(result: Result<(), LedgerError>) -> Refusal {
    match result {
        Err(LedgerError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

fn shortfalls(result: Result<(), LedgerError>) -> Vec<Shortfall> {
    match result {
        Err(LedgerError::Exceeds(shortfalls)) => shortfalls,
        other => panic!("{other:?}"),
    }
}

testkit::on_both_engines! {
    async fn stock_is_received_reserved_sold_and_given_back(db: TestDatabase) {
        stock(&db, 10).await;
        let reserve = [pending(2, movement(STOCK, SOLD, 4)), pending(3, movement(STOCK, SOLD, 5))];
        transfer(&db, &reserve, START).await.unwrap();
        assert_eq!(balance(&db, STOCK, START).await.credit_available(), 1);
        let short = transfer(&db, &[single(4, movement(STOCK, SOLD, 2))], START).await;
        assert_eq!(
            shortfalls(short),
            [Shortfall { index: 0, account: account(STOCK), wanted: 2, available: 1 }]
        );
        // Three of four are sold, which releases the fourth; the other reservation is given back.
        transfer(&db, &[post(5, 2, Some(3)), void(6, 3)], START).await.unwrap();
        let expected = Balance { debits_pending: 0, debits_posted: 3, credits_pending: 0, credits_posted: 10 };
        assert_eq!(balance(&db, STOCK, START).await, expected);
        assert_eq!(refusal(transfer(&db, &[void(7, 2)], START).await), Refusal::AlreadyPosted);
        assert_eq!(refusal(transfer(&db, &[post(7, 3, None)], START).await), Refusal::AlreadyVoided);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn a_slice_happens_whole_or_not_at_all_and_names_every_shortfall(db: TestDatabase) {
        stock(&db, 3).await;
        open_accounts(&db, &[guarded(4, Guard::DebitsMustNotExceedCredits)]).await.unwrap();
        let slice = [
            single(1, movement(STOCK, SOLD, 2)),
            single(2, movement(STOCK, SOLD, 2)),
            single(3, movement(4, SOLD, 7)),
            single(5, movement(STOCK, SOLD, 1)),
        ];
        assert_eq!(
            shortfalls(transfer(&db, &slice, START).await),
            [
                Shortfall { index: 1, account: account(STOCK), wanted: 2, available: 1 },
                Shortfall { index: 2, account: account(4), wanted: 7, available: 0 },
            ]
        );
        assert_eq!(balance(&db, SOLD, START).await, Balance::default());
        transfer(&db, &[slice[0].clone(), slice[3].clone()], START).await.unwrap();
        assert_eq!(balance(&db, STOCK, START).await.credit_available(), 0);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn after_a_refusal_the_transaction_goes_on_without_the_slice(db: TestDatabase) {
        stock(&db, 1).await;
        db.write(|mut tx| async move {
            let slice = [single(1, movement(WORLD, SOLD, 5)), single(2, movement(STOCK, SOLD, 2))];
            let refused = ledger::transfer(&mut tx, &slice, START).await;
            assert!(matches!(refused, Err(LedgerError::Exceeds(_))), "{refused:?}");
            ledger::transfer(&mut tx, &[single(3, movement(STOCK, SOLD, 1))], START).await?;
            Ok::<_, LedgerError>(tx.commit(()).await?)
        })
        .await
        .unwrap();
        assert_eq!(balance(&db, SOLD, START).await.credits_posted, 1);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn the_same_content_under_the_same_id_is_done_once(db: TestDatabase) {
        stock(&db, 10).await;
        let slice = [pending(1, movement(STOCK, SOLD, 4)), single(2, movement(STOCK, SOLD, 1))];
        let ends = [post(3, 1, None)];
        for _ in 0..3 {
            transfer(&db, &slice, START).await.unwrap();
        }
        for _ in 0..3 {
            transfer(&db, &ends, START).await.unwrap();
            // Naming the full amount is the same content.
            transfer(&db, &[post(3, 1, Some(4))], START).await.unwrap();
            // So is a late repetition, when the time of the pending one is over.
            transfer(&db, &slice, START.plus(MINUTE * 2)).await.unwrap();
        }
        let expected = Balance { debits_pending: 0, debits_posted: 5, credits_pending: 0, credits_posted: 10 };
        assert_eq!(balance(&db, STOCK, START).await, expected);

        let others = [
            pending(1, movement(STOCK, SOLD, 3)),
            pending(1, movement(STOCK, WORLD, 4)),
            Transfer::pending(id(1), movement(STOCK, SOLD, 4), MINUTE * 2, "test"),
            Transfer::pending(id(1), movement(STOCK, SOLD, 4), MINUTE, "other"),
            single(1, movement(STOCK, SOLD, 4)),
            void(1, 2),
            post(3, 1, Some(3)),
            void(3, 1),
        ];
        for other in others {
            assert_eq!(refusal(transfer(&db, std::slice::from_ref(&other), START).await), Refusal::IdReused, "{other:?}");
        }
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn a_pending_transfer_is_void_from_its_last_microsecond_on(db: TestDatabase) {
        stock(&db, 1).await;
        transfer(&db, &[pending(1, movement(STOCK, SOLD, 1))], START).await.unwrap();
        let over = START.plus(MINUTE);
        let before = over.minus(std::time::Duration::from_micros(1));
        assert_eq!(balance(&db, STOCK, before).await.credit_available(), 0);
        assert_eq!(expire_due(&db, before, 10).await.unwrap(), []);
        let early = transfer(&db, &[single(2, movement(STOCK, SOLD, 1))], before).await;
        assert_eq!(shortfalls(early).len(), 1);

        // Nobody has tidied up, and still it counts for nobody.
        assert_eq!(balance(&db, STOCK, over).await.credit_available(), 1);
        assert_eq!(balance(&db, SOLD, over).await.credits_pending, 0);
        assert_eq!(refusal(transfer(&db, &[post(3, 1, None)], over).await), Refusal::Expired);
        assert_eq!(refusal(transfer(&db, &[void(3, 1)], over).await), Refusal::Expired);
        transfer(&db, &[single(4, movement(STOCK, SOLD, 1))], over).await.unwrap();
        // It was released on the way, once.
        assert_eq!(expire_due(&db, over, 10).await.unwrap(), []);
        let expected = Balance { debits_pending: 0, debits_posted: 1, credits_pending: 0, credits_posted: 1 };
        assert_eq!(balance(&db, STOCK, over).await, expected);
        // A node whose clock is behind cannot post it any more either.
        assert_eq!(refusal(transfer(&db, &[post(5, 1, None)], START).await), Refusal::Expired);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn tidying_up_releases_the_longest_overdue_first_and_no_more_than_it_is_told(db: TestDatabase) {
        stock(&db, 10).await;
        for number in 1..=5_u32 {
            let timeout = MINUTE * (6 - number);
            let reserve = Transfer::pending(id(number.into()), movement(STOCK, SOLD, 1), timeout, "test");
            transfer(&db, &[reserve], START).await.unwrap();
        }
        let now = START.plus(MINUTE * 4);
        assert_eq!(expire_due(&db, now, 3).await.unwrap(), [id(5), id(4), id(3)]);
        assert_eq!(expire_due(&db, now, 3).await.unwrap(), [id(2)]);
        assert_eq!(expire_due(&db, now, 3).await.unwrap(), []);
        assert_eq!(balance(&db, STOCK, now).await.debits_pending, 1);
        assert_eq!(balance(&db, SOLD, now).await.credits_pending, 1);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn a_refund_never_exceeds_what_was_paid(db: TestDatabase) {
        let (bank, payment) = (1, 2);
        migrate(&db).await;
        open_accounts(&db, &[plain(bank), guarded(payment, Guard::CreditsMustNotExceedDebits)]).await.unwrap();
        transfer(&db, &[single(1, movement(payment, bank, 100))], START).await.unwrap();
        transfer(&db, &[pending(2, movement(bank, payment, 60))], START).await.unwrap();
        assert_eq!(balance(&db, payment, START).await.debit_available(), 40);
        let short = shortfalls(transfer(&db, &[single(3, movement(bank, payment, 41))], START).await);
        assert_eq!(short, [Shortfall { index: 0, account: account(payment), wanted: 41, available: 40 }]);
        // The refund that was under way is overdue, so its amount is free again.
        transfer(&db, &[single(3, movement(bank, payment, 41))], START.plus(MINUTE)).await.unwrap();
        assert_eq!(balance(&db, payment, START.plus(MINUTE)).await.debit_available(), 59);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn what_cannot_be_is_refused_by_name(db: TestDatabase) {
        stock(&db, 10).await;
        let mut dollars = plain(9);
        dollars.unit = "USD".to_owned();
        open_accounts(&db, &[dollars]).await.unwrap();
        transfer(&db, &[pending(1, movement(STOCK, SOLD, 4)), single(2, movement(STOCK, SOLD, 1))], START).await.unwrap();
        let unusable = |timeout| Transfer::pending(id(5), movement(STOCK, SOLD, 1), timeout, "test");
        let cases = [
            (single(5, movement(STOCK, SOLD, 0)), Refusal::AmountNotPositive),
            (single(5, movement(STOCK, SOLD, -1)), Refusal::AmountNotPositive),
            (single(5, movement(STOCK, SOLD, i64::MIN)), Refusal::AmountNotPositive),
            (single(5, movement(STOCK, STOCK, 1)), Refusal::SameAccount),
            (single(5, movement(STOCK, 77, 1)), Refusal::UnknownAccount(account(77))),
            (single(5, movement(78, SOLD, 1)), Refusal::UnknownAccount(account(78))),
            (single(5, movement(WORLD, 9, 1)), Refusal::UnitsDiffer),
            (single(5, movement(WORLD, STOCK, i64::MAX)), Refusal::Overflow(account(WORLD))),
            (single(5, movement(SOLD, STOCK, i64::MAX)), Refusal::Overflow(account(STOCK))),
            (unusable(std::time::Duration::ZERO), Refusal::TimeoutOutOfRange),
            (unusable(std::time::Duration::from_nanos(999)), Refusal::TimeoutOutOfRange),
            (unusable(std::time::Duration::MAX), Refusal::TimeoutOutOfRange),
            (post(5, 1, Some(5)), Refusal::ExceedsPending),
            (post(5, 1, Some(0)), Refusal::AmountNotPositive),
            (post(5, 2, None), Refusal::NotPending),
            (post(5, 99, None), Refusal::UnknownPending),
            (void(5, 99), Refusal::UnknownPending),
            (Transfer::single(id(5), movement(STOCK, SOLD, 1), "x".repeat(256)), Refusal::ReferenceTooLong),
        ];
        for (transfer_, expected) in cases {
            let good = single(4, movement(WORLD, STOCK, 1));
            let result = transfer(&db, &[good, transfer_.clone()], START).await;
            match result {
                Err(LedgerError::Refused { index: 1, refusal }) => assert_eq!(refusal, expected, "{transfer_:?}"),
                other => panic!("{transfer_:?}: {other:?}"),
            }
        }
        assert_eq!(balance(&db, STOCK, START).await.credits_posted, 10);
        let long: Vec<Transfer> = (0..=MAX_SLICE as u128).map(|it| single(it, movement(WORLD, STOCK, 1))).collect();
        let refused = transfer(&db, &long, START).await;
        assert!(matches!(refused, Err(LedgerError::TooMany { limit: MAX_SLICE })), "{refused:?}");
        transfer(&db, &[], START).await.unwrap();
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn the_longest_slice_touches_as_many_accounts_as_it_can(db: TestDatabase) {
        let count = MAX_SLICE as u128;
        let accounts: Vec<_> = (0..2 * count).map(plain).collect();
        migrate(&db).await;
        open_accounts(&db, &accounts).await.unwrap();
        let slice: Vec<_> =
            (0..count).map(|it| pending(it + 1, movement(it, it + count, it as i64 + 1))).collect();
        transfer(&db, &slice, START).await.unwrap();
        let ends: Vec<_> = (0..count).map(|it| post(count + it + 1, it + 1, None)).collect();
        transfer(&db, &ends, START).await.unwrap();
        assert_eq!(balance(&db, 499, START).await.debits_posted, 500);
        let ids: Vec<_> = accounts.iter().map(|it| it.id).chain([account(u128::MAX)]).collect();
        let balances = ledger::balances(&mut db.read().await.unwrap(), &ids, START).await.unwrap();
        assert_eq!(balances.len(), accounts.len());
        assert_eq!(balances.values().map(|it| it.credits_posted).sum::<i64>(), 500 * 501 / 2);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn within_one_slice_a_reservation_can_be_made_and_ended(db: TestDatabase) {
        stock(&db, 2).await;
        let slice = [
            pending(1, movement(STOCK, SOLD, 2)),
            post(2, 1, Some(1)),
            pending(3, movement(STOCK, SOLD, 1)),
            void(4, 3),
            single(5, movement(STOCK, SOLD, 1)),
            // The same content once more in the same slice is done already.
            single(5, movement(STOCK, SOLD, 1)),
        ];
        transfer(&db, &slice, START).await.unwrap();
        let expected = Balance { debits_pending: 0, debits_posted: 2, credits_pending: 0, credits_posted: 2 };
        assert_eq!(balance(&db, STOCK, START).await, expected);
        assert_sound(&db).await;
    }
}

testkit::on_both_engines! {
    async fn accounts_are_opened_once_and_never_differently(db: TestDatabase) {
        stock(&db, 5).await;
        let stock = guarded(STOCK, Guard::DebitsMustNotExceedCredits);
        open_accounts(&db, &[stock.clone(), stock.clone(), plain(8)]).await.unwrap();
        assert_eq!(balance(&db, STOCK, START).await.credits_posted, 5);
        let mut dollars = stock.clone();
        dollars.unit = "USD".to_owned();
        let mut other_kind = stock.clone();
        other_kind.kind = "other".to_owned();
        let mut long = plain(10);
        long.unit = "x".repeat(256);
        for other in [guarded(STOCK, Guard::None), dollars, other_kind, long] {
            let id = other.id;
            let refused = open_accounts(&db, &[plain(9), other]).await;
            assert!(matches!(refused, Err(LedgerError::AccountDiffers { account }) if account == id), "{refused:?}");
        }
        let missing = ledger::balance(&mut db.read().await.unwrap(), account(9), START).await;
        assert!(matches!(missing, Err(LedgerError::UnknownAccount { .. })), "{missing:?}");
        assert_sound(&db).await;
    }
}
