//! The shop's own events, and what they add up to.

use contracts::Sealed;
use contracts::identity::{AccountVerified, SignedIn};
use contracts::orders::{OrderCancelled, OrderLine, OrderPlaced, Totals};
use contracts::payments::RefundChanged;
use kernel::{Currency, Money, OrderId, PaymentId, RefundId, SessionId, Timestamp, Uuid};
use serde_json::{Value, json};

use crate::shop::{Shop, customer, event_id, on_both_engines};

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_a000_0000_0000_0000 + number)
}

fn order(number: u128, placed_at: &str) -> OrderPlaced {
    let line = |quantity: i64, price: i64| OrderLine {
        variant_id: None,
        product_id: None,
        seller_id: None,
        sku: "TEA-1".to_owned(),
        title: "Tea".to_owned(),
        brand: "Leaf".to_owned(),
        category: Some("Drinks".to_owned()),
        quantity,
        unit_price: eur(price),
        total: eur(price * quantity),
    };
    OrderPlaced {
        order_id: OrderId::from_uuid(uuid(number)),
        number: format!("S-{number}"),
        customer_id: Some(customer(1)),
        payment_id: None,
        placed_at: placed_at.parse().unwrap(),
        lines: vec![line(2, 999), line(1, 1_001)],
        totals: Totals {
            subtotal: eur(2_999),
            discount: eur(300),
            shipping: eur(490),
            tax: eur(509),
            total: eur(3_189),
        },
        imported: false,
        came_to_nothing: false,
    }
}

fn refund(number: u128, amount: i64, status: &str) -> RefundChanged {
    RefundChanged {
        order_id: OrderId::from_uuid(uuid(1)),
        payment_id: PaymentId::from_uuid(uuid(1)),
        refund_id: RefundId::from_uuid(uuid(number)),
        amount: eur(amount),
        status: status.to_owned(),
    }
}

#[tokio::test]
async fn revenue_is_right_to_the_cent_and_happens_once() {
    on_both_engines(async |shop: Shop| {
        for _ in 0..2 {
            shop.react(1, &order(1, "2026-01-01T00:00:00Z")).await;
            shop.react(2, &order(2, "2025-12-31T23:59:59.999999Z")).await;
            shop.react(3, &order(3, "2026-01-01T00:00:00Z")).await;
            let cancelled = OrderCancelled {
                order_id: OrderId::from_uuid(uuid(3)),
                customer_id: Some(customer(1)),
                total: eur(3_189),
                reason: "by_customer".to_owned(),
            };
            shop.react(4, &cancelled).await;
            shop.react(5, &refund(5, 1_001, "succeeded")).await;
            shop.react(6, &refund(6, 77, "failed")).await;
        }
        let eur = |amount: i64| json!({"amount": amount, "currency": "EUR"});
        let days = shop.analyst("/revenue/daily").await;
        assert_eq!(
            days[0],
            json!({
                "day": "2026-01-01", "orders": 2, "units": 6, "revenue": eur(4_380), "shipping": eur(980),
                "tax": eur(1_018), "discount": eur(600), "total": eur(6_378), "cancelled_orders": 1,
                "cancelled": eur(3_189), "refund_count": 1, "refunds": eur(1_001),
            })
        );
        assert_eq!((&days[1]["day"], &days[1]["revenue"]), (&json!("2025-12-31"), &eur(2_190)));
        assert_eq!(days.len(), 2);
        assert_eq!(shop.counted("server", "Order Completed").await, 3);
        assert_eq!(shop.counted("server", "Order Cancelled").await, 1);
        assert_eq!(shop.counted("server", "Order Refunded").await, 1);
    })
    .await;
}

#[tokio::test]
async fn currencies_are_never_added_up_and_pages_go_on() {
    on_both_engines(async |shop: Shop| {
        let mut foreign = order(2, "2026-01-01T00:00:00Z");
        let usd = |money: &mut Money| money.currency = Currency::USD;
        let totals = &mut foreign.totals;
        for money in [
            &mut totals.subtotal,
            &mut totals.discount,
            &mut totals.shipping,
            &mut totals.tax,
            &mut totals.total,
        ] {
            usd(money);
        }
        shop.react(1, &order(1, "2026-01-01T00:00:00Z")).await;
        shop.react(2, &foreign).await;
        shop.react(3, &order(3, "2025-11-30T00:00:00Z")).await;
        let analyst = shop.client.staff(&[web::Role::Administrator]);
        let mut path = "/v1/admin/analytics/revenue/daily?limit=1".to_owned();
        let mut seen: Vec<(Value, Value)> = Vec::new();
        loop {
            let page = analyst.get(&path).await.expect(200);
            let row = &page.body["data"][0];
            seen.push((row["day"].clone(), row["revenue"]["currency"].clone()));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/v1/admin/analytics/revenue/daily?limit=1&cursor={cursor}");
        }
        let expected = [("2026-01-01", "EUR"), ("2026-01-01", "USD"), ("2025-11-30", "EUR")];
        assert_eq!(seen, expected.map(|(day, currency)| (json!(day), json!(currency))));
        let dollars = shop.analyst("/revenue/daily?currency=USD&from=2026-01-01&to=2026-01-01").await;
        assert_eq!(dollars.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn history_counts_on_its_own_day_and_says_what_it_is() {
    let shop = Shop::sqlite().await;
    let placed_at = "1998-05-03T10:00:00Z";
    shop.react(1, &OrderPlaced { imported: true, customer_id: None, ..order(1, placed_at) }).await;
    let counted = shop.analyst("/events/daily").await;
    assert_eq!(
        counted,
        [json!({"day": "1998-05-03", "source": "server", "event": "Order Completed", "count": 1})]
    );
    let event = &shop.analyst("/events").await[0];
    assert_eq!(event["message"]["properties"]["imported"], true);
    assert_eq!(
        event["occurred_at"].as_str().unwrap().parse::<Timestamp>().unwrap(),
        placed_at.parse().unwrap()
    );
}

#[tokio::test]
async fn history_that_came_to_nothing_is_no_revenue() {
    on_both_engines(async |shop: Shop| {
        let placed_at = "1998-05-03T10:00:00Z";
        let nothing = OrderPlaced { imported: true, came_to_nothing: true, ..order(1, placed_at) };
        shop.react(1, &nothing).await;
        assert!(shop.analyst("/revenue/daily").await.is_empty());
        shop.react(2, &OrderPlaced { imported: true, ..order(2, placed_at) }).await;
        assert_eq!(shop.analyst("/revenue/daily").await[0]["orders"], 1);
        assert_eq!(shop.counted("server", "Order Completed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_journey_speaks_segments_vocabulary() {
    let shop = Shop::sqlite().await;
    let ada = customer(1);
    shop.react(1, &order(1, "2026-01-01T00:00:00Z")).await;
    let session_id = SessionId::from_uuid(uuid(1));
    shop.react(2, &SignedIn { customer_id: ada, session_id, method: "password".to_owned() }).await;
    shop.react(3, &AccountVerified { customer_id: ada, email: Sealed(vec![1]), name: None }).await;
    let events = shop.analyst(&format!("/events?source=server&user_id={ada}")).await;
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["Signed Up", "Signed In", "Order Completed"]);
    let message = &events[2]["message"];
    assert_eq!(message["messageId"], event_id(1).to_string());
    let properties = &message["properties"];
    assert_eq!(properties["revenue"], json!({"amount": 2_190, "currency": "EUR"}));
    assert_eq!(properties["total"], json!({"amount": 3_189, "currency": "EUR"}));
    assert_eq!(properties["products"][0]["name"], "Tea");
    assert_eq!(events[1]["message"]["properties"], json!({"method": "password"}));
}

#[tokio::test]
async fn a_browser_cannot_make_revenue() {
    let shop = Shop::sqlite().await;
    let forged = json!([{
        "type": "track", "event": "Order Completed", "userId": "u", "messageId": event_id(1),
        "properties": {"revenue": 1_000_000, "currency": "EUR"},
    }]);
    assert_eq!(shop.batch(forged).await, json!([]));
    assert!(shop.analyst("/revenue/daily").await.is_empty());
    // Nor does it keep the shop's own event out, though it guessed its id.
    shop.react(1, &order(1, "2026-01-01T00:00:00Z")).await;
    assert_eq!(shop.counted("server", "Order Completed").await, 1);
}
