//! What each token of the sandbox does, up to the order that is told of it.

use contracts::payments::{NextAction, PaymentStatus, RefundPayment};
use kernel::RefundId;
use serde_json::json;
use testkit::TestDatabase;
use web::Caller;

use crate::shop::{Shop, eur};

testkit::on_both_engines! {
    async fn visa_is_authorised_captured_and_refunded(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.authorize("tok_visa").await;
        assert_eq!((payment.status, payment.captured), (PaymentStatus::Authorized, eur(0)));
        shop.assert_books(0).await;
        let payment = shop.client.capture(payment.payment_id).await.unwrap();
        assert_eq!((payment.status, payment.captured), (PaymentStatus::Captured, eur(4_200)));
        shop.assert_books(4_200).await;
        let refund = RefundPayment {
            refund_id: RefundId::new(shop.clock.now(), &shop.rng),
            amount: eur(200),
            reason: "too late".into(),
        };
        let payment = shop.client.refund(payment.payment_id, &refund).await.unwrap();
        assert_eq!((payment.status, payment.refunded), (PaymentStatus::PartiallyRefunded, eur(200)));
        let rest = RefundPayment { refund_id: RefundId::new(shop.clock.now(), &shop.rng), amount: eur(4_000), ..refund };
        let payment = shop.client.refund(payment.payment_id, &rest).await.unwrap();
        assert_eq!((payment.status, payment.refunded), (PaymentStatus::Refunded, eur(4_200)));
        shop.assert_books(0).await;

        let changed = "payments.payment_changed.v1";
        let refunded = "payments.refund_changed.v1 succeeded";
        let expected = [
            format!("{changed} authorized"),
            format!("{changed} captured"),
            refunded.to_owned(),
            format!("{changed} partially_refunded"),
            refunded.to_owned(),
            format!("{changed} refunded"),
        ];
        assert_eq!(shop.events(payment.payment_id).await, expected);
        // Everything is told by notifications as well, before the answer or after it, and told on once.
        let told = shop
            .until("five notifications were acted upon", async || {
                let told = shop.outcomes(payment.payment_id).await;
                (told.len() == 5 && told.iter().all(|(_, outcome)| outcome.is_some())).then_some(told)
            })
            .await;
        let sound = |outcome: &str| matches!(outcome, "applied" | "known" | "late");
        assert!(told.iter().all(|(_, outcome)| outcome.as_deref().is_some_and(sound)), "{told:?}");
        assert_eq!(shop.events(payment.payment_id).await, expected);
    }

    async fn a_challenge_is_passed_or_failed(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        for (outcome, status) in [("success", PaymentStatus::Authorized), ("failure", PaymentStatus::Failed)] {
            let payment = shop.authorize("tok_challenge").await;
            assert_eq!(payment.status, PaymentStatus::RequiresAction);
            let Some(NextAction::Redirect { url }) = payment.next_action else { panic!("{payment:?}") };
            let path = url.strip_prefix("https://shop.example").unwrap();
            let answer = shop.post(&Caller::Anonymous, path, &[], &json!({"outcome": outcome})).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.json(), json!({"outcome": outcome, "return_url": "/orders/thanks?from=bank"}));
            let ended = shop.becomes(payment.payment_id, status).await;
            assert_eq!(ended.next_action, None);
            if status == PaymentStatus::Failed {
                assert_eq!(ended.decline.unwrap().reason, "challenge_failed");
            }
        }
        shop.assert_books(0).await;
    }

    async fn refusals_say_why(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        for (token, reason, said) in [
            ("tok_declined", "declined", "Your card was declined."),
            ("tok_insufficient_funds", "insufficient_funds", "Your card has insufficient funds."),
            ("tok_gold", "invalid_method", "There is no such token."),
        ] {
            let payment = shop.authorize(token).await;
            assert_eq!(payment.status, PaymentStatus::Failed, "{token}");
            let decline = payment.decline.unwrap();
            assert_eq!((decline.reason.as_str(), decline.provider_reason.as_deref()), (reason, Some(said)));
            assert_eq!(shop.events(payment.payment_id).await, ["payments.payment_changed.v1 failed"]);
            // What was refused has nothing to take or to let go.
            assert_eq!(shop.client.capture(payment.payment_id).await.unwrap().status, PaymentStatus::Failed);
            assert_eq!(shop.client.void(payment.payment_id).await.unwrap().status, PaymentStatus::Failed);
        }
        shop.assert_books(0).await;
    }

    /// The money is set aside and the answer never comes: unknown, until the provider is asked.
    async fn a_time_out_after_success_is_found_out(db: TestDatabase) {
        let shop = Shop::hasty(&db).await;
        let payment = shop.authorize("tok_timeout_after_success").await;
        assert_eq!(payment.status, PaymentStatus::Unknown);
        assert_eq!(shop.client.get(payment.payment_id).await.unwrap().status, PaymentStatus::Unknown);
        // Nothing is taken while it is not known what there is.
        assert_eq!(shop.client.capture(payment.payment_id).await.unwrap().status, PaymentStatus::Unknown);
        shop.start(&["payments.resolve"]);
        shop.becomes(payment.payment_id, PaymentStatus::Authorized).await;
        assert_eq!(shop.count("sandbox_payments").await, 1, "it was not asked for twice");
        let paid = shop.client.capture(payment.payment_id).await.unwrap();
        assert_eq!(paid.status, PaymentStatus::Captured);
        shop.assert_books(4_200).await;
    }

    /// The same, but the notification is what tells.
    async fn a_notification_resolves_what_is_unknown(db: TestDatabase) {
        let shop = Shop::hasty(&db).await;
        let payment = shop.authorize("tok_timeout_after_success").await;
        assert_eq!(payment.status, PaymentStatus::Unknown);
        shop.start(&["sandbox.webhooks", "payments.webhooks"]);
        shop.becomes(payment.payment_id, PaymentStatus::Authorized).await;
        assert_eq!(shop.count("attempts WHERE ended_at IS NULL").await, 0);
    }

    /// The provider failed and has done nothing. That it knows of no payment is only believed once the
    /// request can no longer arrive.
    async fn an_error_500_is_not_a_decline_until_it_is_known(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let wanted = shop.wanted("tok_error_500");
        let payment = shop.client.authorize(&wanted).await.unwrap();
        assert_eq!(payment.status, PaymentStatus::Unknown);
        assert_eq!(payment.decline, None);
        // Asking again is no second try: it would be one with another outcome than the first may have.
        assert_eq!(shop.client.authorize(&wanted).await.unwrap().status, PaymentStatus::Unknown);
        shop.start(&["payments.resolve"]);
        shop.until("it was asked for too early", async || {
            (shop.count("platform_due WHERE queue = 'payments.resolve' AND claim IS NULL AND attempts = 0").await == 1)
                .then_some(())
        })
        .await;
        assert_eq!(shop.client.get(payment.payment_id).await.unwrap().status, PaymentStatus::Unknown);
        shop.later(20);
        let failed = shop.becomes(payment.payment_id, PaymentStatus::Failed).await;
        assert_eq!(failed.decline.unwrap().reason, "provider_error");
        assert_eq!(shop.count("sandbox_payments").await, 0);
        let told = ["payments.payment_changed.v1 unknown", "payments.payment_changed.v1 failed"];
        assert_eq!(shop.events(payment.payment_id).await, told);
    }

    async fn a_lost_capture_is_found_out(db: TestDatabase) {
        let shop = Shop::hasty(&db).await;
        let payment = shop.captured("tok_capture_timeout").await;
        assert_eq!(payment.status, PaymentStatus::Unknown);
        shop.start(&["payments.resolve"]);
        let paid = shop.becomes(payment.payment_id, PaymentStatus::Captured).await;
        assert_eq!(paid.captured, eur(4_200));
        shop.assert_books(4_200).await;
    }

    async fn every_notification_may_come_twice(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.captured("tok_duplicate_webhook").await;
        shop.until("every delivery was made", async || {
            (shop.count("platform_due WHERE queue = 'sandbox.webhooks'").await == 0).then_some(())
        })
        .await;
        let told = shop.outcomes(payment.payment_id).await;
        assert_eq!(told.len(), 3, "each is kept once: {told:?}");
        let expected = ["payments.payment_changed.v1 authorized", "payments.payment_changed.v1 captured"];
        assert_eq!(shop.events(payment.payment_id).await, expected);
        shop.assert_books(4_200).await;
    }

    async fn notifications_may_come_late(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.captured("tok_late_webhook").await;
        let refunded = shop.client.void(payment.payment_id).await.unwrap();
        assert_eq!(refunded.status, PaymentStatus::Captured, "there is nothing to let go of any more");
        assert!(shop.outcomes(payment.payment_id).await.is_empty());
        shop.later(60);
        let told = shop
            .until("all three were acted upon", async || {
                let told = shop.outcomes(payment.payment_id).await;
                (told.len() == 3 && told.iter().all(|(_, outcome)| outcome.is_some())).then_some(told)
            })
            .await;
        let outcomes: Vec<_> = told.iter().map(|(kind, outcome)| (kind.as_str(), outcome.as_deref().unwrap())).collect();
        assert_eq!(outcomes, [("payment.authorized", "late"), ("payment.captured", "known"), ("payment.created", "late")]);
        assert_eq!(shop.client.get(payment.payment_id).await.unwrap().status, PaymentStatus::Captured);
    }

    async fn notifications_may_come_in_reverse(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.captured("tok_reordered_webhooks").await;
        for kinds in [1, 2, 3] {
            shop.later(60);
            shop.until("the next one was acted upon", async || {
                let told = shop.outcomes(payment.payment_id).await;
                (told.len() == kinds && told.iter().all(|(_, outcome)| outcome.is_some())).then_some(())
            })
            .await;
        }
        let mut reader = shop.database.read_primary().await.unwrap();
        let sql = "SELECT kind FROM webhooks ORDER BY received_at";
        let came: Vec<(String,)> = reader.fetch_all(sql, &[]).await.unwrap();
        assert_eq!(came.iter().map(|(kind,)| kind.as_str()).collect::<Vec<_>>(),
            ["payment.captured", "payment.authorized", "payment.created"]);
        assert_eq!(shop.client.get(payment.payment_id).await.unwrap().status, PaymentStatus::Captured);
        assert_eq!(shop.events(payment.payment_id).await.len(), 2);
        shop.assert_books(4_200).await;
    }

    async fn a_forged_notification_is_not_kept(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.captured("tok_bad_signature").await;
        assert_eq!(payment.status, PaymentStatus::Captured);
        // The sandbox tries three times, with growing pauses, and gives up.
        shop.until("it gave up", async || {
            shop.later(60);
            (shop.count("platform_due WHERE queue = 'sandbox.webhooks'").await == 0).then_some(())
        })
        .await;
        assert_eq!(shop.count("webhooks").await, 0);
    }

    /// A reversal: what was told as taken was not taken after all.
    async fn a_capture_may_fail_after_it_succeeded(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let payment = shop.captured("tok_capture_fails").await;
        assert_eq!(payment.status, PaymentStatus::Captured);
        shop.assert_books(4_200).await;
        shop.later(60);
        let failed = shop.becomes(payment.payment_id, PaymentStatus::Failed).await;
        assert_eq!((failed.captured, failed.decline.unwrap().reason.as_str()), (eur(0), "capture_failed"));
        shop.assert_books(0).await;
    }
}
