//! The process ends between the intent and the result.

use contracts::payments::PaymentStatus;
use database::Database;
use kernel::RefundId;
use serde_json::json;
use testkit::TestDatabase;
use web::Role;

use crate::shop::{Shop, config, eur, staff};

testkit::on_both_engines! {
    /// The provider has done it, the process is gone, and nobody was told.
    async fn a_crash_during_an_authorisation_is_resolved(db: TestDatabase) {
        let before = Shop::with(Database::clone(&db), config()).await;
        let wanted = before.wanted("tok_timeout_after_success");
        let (client, asking) = (before.client.clone(), wanted.clone());
        let call = tokio::spawn(async move { client.authorize(&asking).await });
        before.until("the provider has done it", async || {
            (before.count("sandbox_payments").await == 1).then_some(())
        })
        .await;
        call.abort();
        assert_eq!(before.client.get(wanted.payment_id).await.unwrap().status, PaymentStatus::Created);
        drop(before);

        let after = Shop::with(db.reopen().await, config()).await;
        after.start(&["payments.resolve"]);
        after.later(60);
        let payment = after.becomes(wanted.payment_id, PaymentStatus::Authorized).await;
        assert_eq!(after.client.authorize(&wanted).await.unwrap(), payment);
        assert_eq!(after.count("sandbox_payments").await, 1);
        let told = ["payments.payment_changed.v1 unknown", "payments.payment_changed.v1 authorized"];
        assert_eq!(after.events(wanted.payment_id).await, told);
        after.assert_books(0).await;
    }

    async fn a_crash_during_a_capture_is_resolved(db: TestDatabase) {
        let before = Shop::with(Database::clone(&db), config()).await;
        let payment = before.authorize("tok_capture_timeout").await;
        let client = before.client.clone();
        let id = payment.payment_id;
        let call = tokio::spawn(async move { client.capture(id).await });
        before.until("the provider has done it", async || {
            (before.count("sandbox_payments WHERE status = 'captured'").await == 1).then_some(())
        })
        .await;
        call.abort();
        drop(before);

        let after = Shop::with(db.reopen().await, config()).await;
        after.start(&["payments.resolve"]);
        after.later(60);
        after.becomes(id, PaymentStatus::Captured).await;
        after.assert_books(4_200).await;
    }

    /// A refund stands until it is done: nobody else repeats it.
    async fn a_crash_during_a_refund_is_resolved(db: TestDatabase) {
        let before = Shop::with(Database::clone(&db), config()).await;
        let payment = before.captured("tok_refund_timeout").await;
        let client = before.client.clone();
        let id = payment.payment_id;
        let refund = contracts::payments::RefundPayment {
            refund_id: RefundId::new(before.clock.now(), &before.rng),
            amount: eur(200),
            reason: "too late".into(),
        };
        let call = tokio::spawn(async move { client.refund(id, &refund).await });
        before.until("the provider has done it", async || (before.count("sandbox_refunds").await == 1).then_some(())).await;
        call.abort();
        // What is reserved for it cannot be given back a second time.
        let whole = json!({"amount": {"amount": 4_200, "currency": "EUR"}, "reason": "all of it"});
        let path = format!("/v1/payments/{id}/refunds");
        let more = before.post(&staff(&[Role::Payments]), &path, &[], &whole).await;
        assert_eq!(more.refusal().1, "payments.refund_exceeds_captured");
        assert_eq!(more.json()["available"]["amount"], 4_000);
        drop(before);

        let after = Shop::with(db.reopen().await, config()).await;
        after.start(&["payments.resolve"]);
        after.later(60);
        let payment = after.becomes(id, PaymentStatus::PartiallyRefunded).await;
        assert_eq!(payment.refunded, eur(200));
        assert_eq!(after.count("sandbox_refunds").await, 1);
        assert_eq!(after.count("attempts WHERE ended_at IS NULL").await, 0);
        after.assert_books(4_000).await;
    }

    /// A refund whose request never arrived is sent again, under a new key, once that is certain.
    async fn a_refund_that_did_not_arrive_is_sent_again(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let payment = shop.captured("tok_visa").await;
        let id = payment.payment_id;
        // As if the process had ended right after the intent.
        let refund = RefundId::new(shop.clock.now(), &shop.rng);
        let now = shop.clock.now();
        shop.database
            .write(|mut tx| async move {
                let attempt = uuid::Uuid::from_u128(77);
                let hold = ledger::Transfer::pending(
                    kernel::TransferId::from_uuid(refund.uuid()),
                    movement(&mut tx, id).await,
                    std::time::Duration::from_secs(1_000),
                    refund.to_string(),
                );
                ledger::transfer(&mut tx, &[hold], now).await.unwrap();
                tx.execute(
                    "INSERT INTO refunds (id, payment_id, currency, amount, reason, status, attempt_id, \
                     requested_by, version, created_at, updated_at) \
                     VALUES ($1, $2, 'EUR', 200, 'late', 'pending', $3, 'orders', 1, $4, $4)",
                    &database::params![refund, id, attempt, now],
                )
                .await?;
                tx.execute(
                    "INSERT INTO attempts (id, payment_id, refund_id, operation, number, amount, idempotency_key, \
                     started_at, answer_by, settles_at) VALUES ($1, $2, $3, 'refund', 1, 200, 'key', $4, $4, $4)",
                    &database::params![attempt, id, refund, now],
                )
                .await?;
                let due = database::Due {
                    queue: "payments.resolve",
                    key: id.to_string(),
                    payload: serde_json::Value::Null,
                    at: now,
                };
                tx.schedule(&due).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
        shop.start(&["payments.resolve"]);
        let payment = shop.becomes(id, PaymentStatus::PartiallyRefunded).await;
        assert_eq!(payment.refunded, eur(200));
        assert_eq!(shop.count("attempts WHERE operation = 'refund' AND outcome = 'not_done'").await, 1);
        assert_eq!(shop.count("attempts WHERE operation = 'refund' AND outcome = 'done'").await, 1);
        shop.assert_books(4_000).await;
    }
}

/// What giving back two euros of the payment moves.
async fn movement(tx: &mut database::Tx, id: kernel::PaymentId) -> ledger::Movement {
    let sql =
        "SELECT debit_id, credit_id FROM ledger_transfers WHERE credit_id = $1 AND kind = 'post_pending'";
    let (debit, credit) = tx.fetch_one(sql, &database::params![id]).await.unwrap();
    ledger::Movement { debit: credit, credit: debit, amount: 200 }
}
