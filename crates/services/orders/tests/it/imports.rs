use contracts::import::{Mode, Verdict};
use contracts::orders::{ImportLine, ImportOrder, Totals};
use kernel::{Currency, Money, OrderId, Timestamp};
use serde_json::json;
use testkit::TestDatabase;
use uuid::Uuid;
use web::Role;

use crate::stack::{Call, Stack, customer, staff};
use crate::text;

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn order(number: u128) -> ImportOrder {
    let line = |title: &str, quantity: i64, price: i64| ImportLine {
        variant_id: None,
        sku: format!("OLD-{number}"),
        title: title.into(),
        quantity,
        unit_price: eur(price),
        total: eur(price * quantity),
    };
    let day = i64::try_from(number).unwrap() * 86_400;
    ImportOrder {
        order_id: OrderId::from_uuid(Uuid::from_u128((0x5A17 << 96) | (number * 7_919))),
        external_id: format!("cdnow-{number}"),
        customer_id: Some(customer(1)),
        // 1997-01-01 and the days after it.
        placed_at: Timestamp::from_seconds(852_076_800 + day),
        status: "completed".into(),
        payment_status: "captured".into(),
        fulfilment_status: "fulfilled".into(),
        lines: vec![line("CD one", 1, 1_177), line("CD two", 2, 600)],
        totals: Totals {
            subtotal: eur(2_377),
            discount: eur(0),
            shipping: eur(0),
            tax: eur(0),
            total: eur(2_377),
        },
    }
}

testkit::on_both_engines! {
    async fn history_is_taken_over_with_its_dates_and_totals(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 999, 5);
        let mut orders: Vec<ImportOrder> = (0..30).map(order).collect();
        orders[29].lines[0].variant_id = Some(variant);
        let dry = service.import_orders(orders.clone(), Mode::DryRun).await.unwrap();
        assert_eq!(dry, vec![Verdict::Created; 30]);
        let first = service.import_orders(orders.clone(), Mode::Apply).await.unwrap();
        assert_eq!(first, vec![Verdict::Created; 30]);
        let told = stack.told().await;
        assert_eq!(told.len(), 30);
        assert!(told.iter().all(|(kind, data)| kind == "orders.order_placed.v1" && data["imported"] == true));
        let again = service.import_orders(orders.clone(), Mode::Apply).await.unwrap();
        assert_eq!(again, vec![Verdict::Unchanged; 30]);
        assert_eq!(stack.told().await.len(), 30);

        let page = Call::get("/v1/orders?limit=100").customer(1).send(&service).await.ok(200);
        let history = page["data"].as_array().unwrap();
        assert_eq!(history.len(), 30);
        let last = &history[0];
        assert_eq!(last["placed_at"], "1997-01-30T00:00:00.000000Z");
        assert_eq!(last["totals"]["total"], json!({"amount": 2377, "currency": "EUR"}));
        assert_eq!((&last["status"], &last["external_id"]), (&json!("completed"), &json!("cdnow-29")));
        assert_eq!(last["lines"][1]["total"]["amount"], 1_200);
        // Who sells it is what the catalogue says.
        assert_ne!(last["lines"][0]["seller_id"], json!(null));
        assert_eq!(stack.catalog.available(variant), 5);
        let path = format!("/v1/orders/{}", text(&last["id"]));
        let events = Call::get(format!("{path}/events")).customer(1).send(&service).await.ok(200);
        assert_eq!((events["data"][0]["type"].as_str(), events["data"][0]["actor"].as_str()), (Some("order_imported"), Some("import")));
        let order = Call::get(&path).customer(1).send(&service).await.ok(200);
        assert_eq!(order["shipping_address"], json!(null));
        let cancel = Call::post(format!("{path}/cancel")).customer(1).json(json!({})).send(&service).await;
        assert_eq!(cancel.refusal(), (409, "orders.not_cancellable"));
        let ship = Call::post(format!("{path}/shipments")).by(staff(&[Role::Orders])).json(json!({}));
        assert_eq!(ship.send(&service).await.refusal(), (409, "orders.not_shippable"));
        let found = Call::get("/v1/orders?query=OLD-12").customer(1).send(&service).await.ok(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 1);
        let days = Call::get("/v1/orders?placed_from=1997-01-10&placed_to=1997-01-12").customer(1);
        assert_eq!(days.send(&service).await.ok(200)["data"].as_array().unwrap().len(), 3);
    }

    async fn history_tells_when_nothing_came_of_it(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let ended = [
            ("completed", "captured", false),
            ("completed", "partially_refunded", false),
            ("completed", "refunded", true),
            ("completed", "failed", true),
            ("cancelled", "voided", true),
            ("cancelled", "captured", true),
        ];
        let orders = ended.iter().zip(1..).map(|((status, payment, _), number)| ImportOrder {
            status: (*status).into(),
            payment_status: (*payment).into(),
            ..order(number)
        });
        service.import_orders(orders.collect(), Mode::Apply).await.unwrap();
        let told: Vec<bool> =
            stack.told().await.iter().map(|(_, data)| data["came_to_nothing"].as_bool().unwrap()).collect();
        assert_eq!(told, ended.map(|(_, _, nothing)| nothing));
    }

    async fn each_refusal_says_why_and_the_rest_is_taken(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        service.import_orders(vec![order(1)], Mode::Apply).await.unwrap();
        let mut off_by_a_cent = order(2);
        off_by_a_cent.totals.total = eur(2_378);
        let rewritten = ImportOrder { placed_at: Timestamp::EPOCH, ..order(1) };
        let same_id = ImportOrder { external_id: "other".into(), ..order(1) };
        let twice = vec![order(3), order(3), ImportOrder { customer_id: None, ..order(3) }];
        let orders = [vec![off_by_a_cent, rewritten, same_id], twice].concat();
        let verdicts = service.import_orders(orders, Mode::Apply).await.unwrap();
        let fields: Vec<Option<&str>> = verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::Refused { field, .. } => field.as_deref(),
                _ => None,
            })
            .collect();
        let expected = [Some("totals.total"), Some("external_id"), Some("order_id"), None, None, Some("external_id")];
        assert_eq!(fields, expected);
        assert_eq!((&verdicts[3], &verdicts[4]), (&Verdict::Created, &Verdict::Unchanged));
        let page = Call::get("/v1/orders").customer(1).send(&service).await.ok(200);
        assert_eq!(page["data"].as_array().unwrap().len(), 2);
    }

    async fn two_orders_that_would_have_one_number_get_two(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let same_end = |number: u128| {
            let id = OrderId::from_uuid(Uuid::from_u128((number << 64) | (number << 44) | 5));
            ImportOrder { order_id: id, ..order(number) }
        };
        let verdicts = service.import_orders(vec![same_end(1), same_end(2)], Mode::Apply).await.unwrap();
        assert_eq!(verdicts, [Verdict::Created, Verdict::Created]);
        let verdicts = service.import_orders(vec![same_end(1), same_end(2)], Mode::Apply).await.unwrap();
        assert_eq!(verdicts, [Verdict::Unchanged, Verdict::Unchanged]);
        let page = Call::get("/v1/orders").customer(1).send(&service).await.ok(200);
        let numbers: Vec<&str> =
            page["data"].as_array().unwrap().iter().map(|order| text(&order["number"])).collect();
        assert_eq!(numbers, ["S-0010-0000-0005", "S-0000-0005"]);
    }
}

/// More orders than one transaction takes, and more lines than one statement stores.
#[tokio::test]
async fn batches_meet_without_a_seam() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let mut orders: Vec<ImportOrder> = (0..1_203).map(order).collect();
    let many = vec![orders[0].lines[0].clone(); 1_000];
    orders[7].totals.subtotal = eur(1_177_000);
    orders[7].totals.total = eur(1_177_000);
    orders[7].lines = many;
    let verdicts = service.import_orders(orders.clone(), Mode::Apply).await.unwrap();
    assert_eq!(verdicts, vec![Verdict::Created; 1_203]);
    let verdicts = service.import_orders(orders, Mode::Apply).await.unwrap();
    assert_eq!(verdicts, vec![Verdict::Unchanged; 1_203]);
}
