//! The commands of the other services, as `contracts::payments::Client` sends them.

use contracts::payments::{AuthorizePayment, PaymentMethod, PaymentStatus};
use kernel::{Currency, Money, OrderId, PaymentId};
use payments::{Config, SandboxConfig};
use serde_json::json;
use testkit::TestDatabase;

use crate::shop::{Shop, code, config, eur};

testkit::on_both_engines! {
    async fn asking_twice_pays_once(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let wanted = shop.wanted("tok_visa");
        let first = shop.client.authorize(&wanted).await.unwrap();
        assert_eq!(shop.client.authorize(&wanted).await.unwrap(), first);
        assert_eq!(shop.count("sandbox_payments").await, 1);
        for other in [
            AuthorizePayment { amount: eur(4_201), ..wanted.clone() },
            AuthorizePayment { order_id: OrderId::new(shop.clock.now(), &shop.rng), ..wanted.clone() },
            AuthorizePayment { customer_id: None, ..wanted.clone() },
        ] {
            assert_eq!(code(shop.client.authorize(&other).await.unwrap_err()), "payments.conflict");
        }
        let captured = shop.client.capture(wanted.payment_id).await.unwrap();
        assert_eq!(shop.client.capture(wanted.payment_id).await.unwrap(), captured);
        assert_eq!(shop.client.authorize(&wanted).await.unwrap(), captured);
        shop.assert_books(4_200).await;
    }

    async fn twenty_at_once_pay_once(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let wanted = shop.wanted("tok_visa");
        let calls = (0..20).map(|_| shop.client.authorize(&wanted));
        for answer in futures_util::future::join_all(calls).await {
            let status = answer.unwrap().status;
            assert!(matches!(status, PaymentStatus::Created | PaymentStatus::Authorized), "{status:?}");
        }
        assert_eq!(shop.count("sandbox_payments").await, 1);
        assert_eq!(shop.count("attempts").await, 1);
        let calls = (0..20).map(|_| shop.client.capture(wanted.payment_id));
        for answer in futures_util::future::join_all(calls).await {
            let status = answer.unwrap().status;
            assert!(matches!(status, PaymentStatus::Authorized | PaymentStatus::Captured), "{status:?}");
        }
        assert_eq!(shop.count("attempts WHERE operation = 'capture'").await, 1);
        shop.assert_books(4_200).await;
    }

    async fn a_void_lets_go(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        for token in ["tok_visa", "tok_challenge"] {
            let payment = shop.authorize(token).await;
            let voided = shop.client.void(payment.payment_id).await.unwrap();
            assert_eq!((voided.status, voided.next_action.clone()), (PaymentStatus::Voided, None));
            assert_eq!(shop.client.void(payment.payment_id).await.unwrap(), voided);
            assert_eq!(shop.client.capture(payment.payment_id).await.unwrap(), voided);
        }
        shop.assert_books(0).await;
    }

    /// What is under way cannot be let go of yet; it is as soon as it is known what became of it.
    async fn a_void_waits_for_what_is_unknown(db: TestDatabase) {
        let shop = Shop::hasty(&db).await;
        let payment = shop.authorize("tok_timeout_after_success").await;
        assert_eq!(shop.client.void(payment.payment_id).await.unwrap().status, PaymentStatus::Unknown);
        shop.start(&["payments.resolve"]);
        shop.becomes(payment.payment_id, PaymentStatus::Voided).await;
        assert_eq!(shop.count("sandbox_payments WHERE status = 'voided'").await, 1);
        shop.assert_books(0).await;
    }

    /// A request that was overtaken by its own undoing finds the door closed.
    async fn a_void_of_nothing_closes_the_id(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let wanted = shop.wanted("tok_visa");
        assert_eq!(code(shop.client.void(wanted.payment_id).await.unwrap_err()), "payments.not_found");
        assert_eq!(code(shop.client.authorize(&wanted).await.unwrap_err()), "payments.closed");
        assert_eq!(shop.count("sandbox_payments").await, 0);
    }

    async fn a_part_may_be_captured(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let payment = shop.authorize("tok_visa").await;
        let capture = |amount: Money| {
            let channel = web::channel::local("orders", "payments", shop.service.internal());
            let path = format!("/internal/payments/{}/capture", payment.payment_id);
            async move { channel.post::<_, contracts::payments::Payment>(&path, &json!({"amount": amount})).await }
        };
        assert_eq!(code(capture(eur(4_201)).await.unwrap_err()), "payments.capture_exceeds_authorized");
        let dollars = Money::new(100, Currency::USD);
        assert_eq!(code(capture(dollars).await.unwrap_err()), "payments.currency_mismatch");
        assert_eq!(code(capture(eur(0)).await.unwrap_err()), "request.validation");
        let part = capture(eur(1_200)).await.unwrap();
        assert_eq!((part.status, part.captured), (PaymentStatus::Captured, eur(1_200)));
        shop.assert_books(1_200).await;
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let wanted = shop.wanted("tok_visa");
    let unknown = PaymentId::new(shop.clock.now(), &shop.rng);
    assert_eq!(code(shop.client.get(unknown).await.unwrap_err()), "payments.not_found");
    assert_eq!(code(shop.client.capture(unknown).await.unwrap_err()), "payments.not_found");
    let with = |change: &dyn Fn(&mut AuthorizePayment)| {
        let mut wanted = wanted.clone();
        change(&mut wanted);
        wanted
    };
    let card = |method: &str, token: &str| PaymentMethod { method: method.into(), token: token.into() };
    for (wanted, expected) in [
        (with(&|it| it.amount = eur(0)), "request.validation"),
        (with(&|it| it.method = card("card", "")), "request.validation"),
        (with(&|it| it.method = card("card", &"x".repeat(201))), "request.validation"),
        (with(&|it| it.method = card("card", "4242 4242 4242 4242")), "request.card_number"),
        (with(&|it| it.method = card("shells", "tok_visa")), "payments.method_unknown"),
        (with(&|it| it.return_url = "https://evil.example/".into()), "payments.return_url_refused"),
        (with(&|it| it.return_url = "//evil.example/".into()), "payments.return_url_refused"),
    ] {
        assert_eq!(code(shop.client.authorize(&wanted).await.unwrap_err()), expected, "{wanted:?}");
    }
    assert_eq!(shop.count("payments").await, 0);
}

#[tokio::test]
async fn only_services_give_commands() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let payment = shop.authorize("tok_visa").await;
    let internal = shop.service.internal();
    let id = payment.payment_id;
    for (method, path) in [
        ("POST", "/internal/payments".to_owned()),
        ("GET", format!("/internal/payments/{id}")),
        ("POST", format!("/internal/payments/{id}/capture")),
        ("POST", format!("/internal/payments/{id}/void")),
        ("POST", format!("/internal/payments/{id}/refunds")),
    ] {
        let request = http::Request::builder()
            .method(method)
            .uri(&path)
            .header("content-type", "application/json")
            .body(axum::body::Body::from("null"))
            .unwrap();
        let answer = tower::ServiceExt::oneshot(internal.clone(), request).await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}");
    }
    assert_eq!(shop.client.get(id).await.unwrap().status, PaymentStatus::Authorized);
}

#[tokio::test]
async fn without_a_provider_nothing_can_be_paid() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let sandbox = SandboxConfig { enabled: false, ..SandboxConfig::default() };
    let shop = Shop::with(database::Database::clone(&db), Config { sandbox, ..config() }).await;
    let answer = shop.client.authorize(&shop.wanted("tok_visa")).await.unwrap_err();
    assert!(matches!(answer, contracts::CallError::Failed { status: 503 }), "{answer:?}");
    assert_eq!(
        shop.get(&web::Caller::Anonymous, "/sandbox/challenges/x").await.refusal().1,
        "request.not_found"
    );
    assert_eq!(shop.count("payments").await, 0);
}
