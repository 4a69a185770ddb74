use contracts::payments::PaymentStatus;
use database::Isolation;
use kernel::{Currency, CustomerId, Money, OrderId, PaymentId, Timestamp};
use testkit::TestDatabase;
use uuid::Uuid;

use super::payments::{Filter, list};
use super::*;
use crate::model::attempt::idempotency_key;
use crate::model::{Answer, Attempt, AttemptId, Ended, Fact, Operation, Payment, Snapshot, Stage};

const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

async fn migrate(db: &TestDatabase) {
    db.migrate("payments", MIGRATIONS).await.unwrap();
    db.migrate("ledger", ledger::MIGRATIONS).await.unwrap();
}

fn payment(number: u128, created_at: Timestamp) -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::from_u128(number)),
        order_id: OrderId::from_uuid(Uuid::from_u128(number + 1_000)),
        customer_id: number.is_multiple_of(2).then(|| CustomerId::from_uuid(Uuid::from_u128(7))),
        provider: "sandbox".into(),
        method: "card".into(),
        card: None,
        amount: Money::new(4_200, Currency::EUR),
        captured: 0,
        refunded: 0,
        stage: Stage::Created,
        asked: None,
        void_wanted: false,
        action_url: None,
        decline: None,
        provider_reference: None,
        version: 1,
        created_at,
        updated_at: created_at,
    }
}

fn attempt(number: u128, payment: PaymentId) -> Attempt {
    Attempt {
        id: AttemptId::from_uuid(Uuid::from_u128(number)),
        payment_id: payment,
        refund_id: None,
        operation: Operation::Authorize,
        number: 1,
        amount: Money::new(4_200, Currency::EUR),
        key: idempotency_key(Operation::Authorize, Uuid::from_u128(number), 1),
        started_at: START,
        answer_by: START,
        settles_at: START,
    }
}

testkit::on_both_engines! {
    /// Whoever adds a column says what erasing a person does to it.
    async fn every_column_is_declared(db: TestDatabase) {
        migrate(&db).await;
        let live = db.schema_columns().await.unwrap();
        let declared = [columns::COLUMNS, ledger::COLUMNS].concat();
        assert_eq!(database::columns::differences(&declared, &live), Vec::<String>::new());
    }

    async fn a_payment_is_read_as_it_was_written(db: TestDatabase) {
        migrate(&db).await;
        let new = payment(1, START).asking(attempt(9, payment(1, START).id).id, Operation::Authorize);
        let card = crate::model::Card { brand: "visa".into(), last4: "4242".into() };
        let amount = Money::new(1_000, Currency::EUR);
        let snapshot = Snapshot {
            reference: "sbx_1".into(),
            fact: Fact::Captured { amount },
            card: Some(card),
            refunds: Vec::new(),
        };
        let paid = new.answered(attempt(9, new.id).id, &Answer::Snapshot(snapshot)).next;
        let (new, paid) = (&new, &paid);
        db.write_with(Isolation::ReadCommitted, |mut tx| async move {
            assert!(payments::insert(&mut tx, new).await?);
            assert!(!payments::insert(&mut tx, new).await?, "an id is used once");
            assert_eq!(payments::lock(&mut tx, new.id).await?.as_ref(), Some(new));
            payments::update(&mut tx, paid).await?;
            tx.commit(()).await
        })
        .await
        .unwrap();
        let mut reader = db.read_primary().await.unwrap();
        assert_eq!(payments::get(&mut reader, new.id).await.unwrap().as_ref(), Some(paid));
        let customer = CustomerId::from_uuid(Uuid::from_u128(8));
        assert_eq!(payments::get_of(&mut reader, new.id, customer).await.unwrap(), None);
    }

    async fn a_list_is_walked_without_gaps(db: TestDatabase) {
        migrate(&db).await;
        // Several at the same moment, so that the id has to tell them apart.
        let all: Vec<Payment> =
            (0..7).map(|number| payment(number, Timestamp::from_seconds(1_767_225_600 + (number as i64) / 3))).collect();
        for payment in &all {
            db.write(|mut tx| async move {
                payments::insert(&mut tx, payment).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
        }
        let mut reader = db.read_primary().await.unwrap();
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = list(&mut reader, &Filter::default(), after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            seen.extend(page.into_iter().map(|payment| payment.id));
        }
        let expected: Vec<_> = all.iter().rev().map(|payment| payment.id).collect();
        assert_eq!(seen, expected);
        let of = |filter: Filter| filter;
        let mine = of(Filter { customer_id: Some(CustomerId::from_uuid(Uuid::from_u128(7))), ..Filter::default() });
        assert_eq!(list(&mut reader, &mine, None, 10).await.unwrap().len(), 4);
        let later = of(Filter { created_from: Some(Timestamp::from_seconds(1_767_225_602)), ..Filter::default() });
        assert_eq!(list(&mut reader, &later, None, 10).await.unwrap().len(), 1);
        let early = of(Filter { created_to: Some(Timestamp::from_seconds(1_767_225_601)), ..Filter::default() });
        assert_eq!(list(&mut reader, &early, None, 10).await.unwrap().len(), 3);
        let none = of(Filter { status: Some(PaymentStatus::Unknown), ..Filter::default() });
        assert!(list(&mut reader, &none, None, 10).await.unwrap().is_empty());
        let one = of(Filter { order_id: Some(all[3].order_id), ..Filter::default() });
        assert_eq!(list(&mut reader, &one, None, 10).await.unwrap(), [all[3].clone()]);
    }

    /// The table itself forbids two calls at once for one payment.
    async fn one_call_is_under_way_at_a_time(db: TestDatabase) {
        migrate(&db).await;
        let payment = payment(1, START);
        let (payment, one, two) = (&payment, &attempt(1, payment.id), &attempt(2, payment.id));
        db.write(|mut tx| async move {
            payments::insert(&mut tx, payment).await?;
            attempts::insert(&mut tx, one).await?;
            tx.commit(()).await
        })
        .await
        .unwrap();
        let second = db
            .write(|mut tx| async move {
                attempts::insert(&mut tx, two).await?;
                tx.commit(()).await
            })
            .await;
        assert!(second.unwrap_err().is_unique_violation().is_some());
        db.write(|mut tx| async move {
            assert_eq!(attempts::open(&mut tx, payment.id).await?, std::slice::from_ref(one));
            attempts::end(&mut tx, one.id, Ended::Done, START).await?;
            attempts::insert(&mut tx, two).await?;
            assert_eq!(attempts::open(&mut tx, payment.id).await?, std::slice::from_ref(two));
            assert_eq!(attempts::count(&mut tx, payment.id, None, Operation::Authorize).await?, 2);
            tx.commit(()).await
        })
        .await
        .unwrap();
    }

    async fn a_closed_id_stays_closed(db: TestDatabase) {
        migrate(&db).await;
        let id = payment(1, START).id;
        db.write(|mut tx| async move {
            assert!(!payments::is_closed(&mut tx, id).await?);
            payments::close(&mut tx, id, START).await?;
            payments::close(&mut tx, id, START).await?;
            assert!(payments::is_closed(&mut tx, id).await?);
            tx.commit(()).await
        })
        .await
        .unwrap();
    }
}
