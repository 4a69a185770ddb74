use std::collections::HashSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::TestDatabase;
use web::Role;

use crate::stack::{Call, Stack, staff};
use crate::{Service, buy, checkout, put, text};

async fn list(service: &Service, customer: u128, query: &str) -> Value {
    Call::get(format!("/v1/orders?{query}")).customer(customer).send(service).await.ok(200)
}

fn numbers(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|order| text(&order["number"]).to_owned()).collect()
}

testkit::on_both_engines! {
    async fn the_history_is_paged_newest_first_and_each_order_shows_once(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let mut bought = Vec::new();
        for number in 0..7 {
            // Some at the same moment: then the id decides.
            if number % 2 == 0 {
                stack.advance(60);
            }
            bought.push(text(&buy(&stack, &service, 1).await["order"]["number"]).to_owned());
        }
        buy(&stack, &service, 2).await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer =
                Call::get(format!("/v1/orders?limit=3&cursor={cursor}")).customer(1).send(&service).await;
            let link = answer.header("link").to_owned();
            let page = answer.ok(200);
            seen.extend(numbers(&page));
            match page["next_cursor"].as_str() {
                None => break,
                Some(next) => {
                    assert!(link.starts_with("</v1/orders?") && link.ends_with("rel=\"next\""), "{link}");
                    cursor = next.to_owned();
                }
            }
        }
        assert_eq!(seen.len(), 7);
        assert_eq!(seen.iter().collect::<HashSet<_>>(), bought.iter().collect());
        assert_eq!(seen.last(), bought.iter().take(2).find(|number| *number == seen.last().unwrap()));
        let placed: Vec<String> = list(&service, 1, "limit=100").await["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| text(&order["placed_at"]).to_owned())
            .collect();
        assert!(placed.is_sorted_by(|a, b| a >= b), "{placed:?}");
    }

    async fn the_history_is_narrowed(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let first = buy(&stack, &service, 1).await;
        stack.advance(86_400);
        let variant = stack.catalog.stock(22, 700, 10);
        put(&service, 1, variant, 1).await;
        let body = checkout("tok_visa");
        let second = Call::post("/v1/checkouts").customer(1).json(body).send(&service).await.ok(201);
        let second_id = text(&second["order"]["id"]);
        Call::post(format!("/v1/orders/{second_id}/cancel")).customer(1).json(json!({})).send(&service).await.ok(200);
        let (first, second) = (text(&first["order"]["number"]), text(&second["order"]["number"]));
        let typed = second.replace('-', "").to_lowercase();
        let cases = [
            (String::new(), vec![second, first]),
            ("status=placed".into(), vec![first]),
            ("status=cancelled".into(), vec![second]),
            ("payment_status=refunded".into(), vec![second]),
            ("fulfilment_status=unfulfilled&status=placed".into(), vec![first]),
            ("fulfilment_status=fulfilled".into(), vec![]),
            ("placed_from=2026-01-02".into(), vec![second]),
            ("placed_to=2026-01-01".into(), vec![first]),
            ("placed_from=2026-01-01T00:00:00Z&placed_to=2026-01-02T00:00:00Z".into(), vec![first]),
            ("query=lipstick".into(), vec![second, first]),
            ("query=LIPST%C3%ACck+22".into(), vec![second]),
            ("query=sku-1".into(), vec![first]),
            ("query=mascara".into(), vec![]),
            ("query=%25".into(), vec![second, first]),
            (format!("query={first}"), vec![first]),
            (format!("query={typed}"), vec![second]),
        ];
        for (query, expected) in cases {
            assert_eq!(numbers(&list(&service, 1, &query).await), expected, "{query}");
        }
        assert_eq!(list(&service, 2, "query=lipstick").await["data"], json!([]));
    }

    async fn an_order_is_read_by_its_owner_with_its_version(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        let path = format!("/v1/orders/{}", text(&bought["order"]["id"]));
        let read = Call::get(&path).customer(1).send(&service).await;
        let tag = read.header("etag").to_owned();
        assert_eq!(tag, "\"2\"");
        assert_eq!(read.ok(200), bought["order"]);
        let again = Call::get(&path).customer(1).header("if-none-match", &tag).send(&service).await;
        assert_eq!(again.status, 304);
        for part in ["", "/events"] {
            let theirs = Call::get(format!("{path}{part}")).customer(2).send(&service).await;
            assert_eq!(theirs.refusal(), (404, "orders.not_found"));
            let nobody = Call::get(format!("{path}{part}")).send(&service).await;
            assert_eq!(nobody.refusal(), (401, "auth.missing"));
        }
        let stranger = Call::post(format!("{path}/cancel")).customer(2).json(json!({})).send(&service).await;
        assert_eq!(stranger.refusal(), (404, "orders.not_found"));
        let support = staff(&[Role::Support]);
        assert_eq!(Call::get(&path).by(support).send(&service).await.ok(200)["id"], bought["order"]["id"]);
        let catalog = Call::get(&path).by(staff(&[Role::Catalog])).send(&service).await;
        assert_eq!(catalog.refusal(), (403, "auth.forbidden"));
    }

    /// The chain is worked out here anew from what is answered, as anybody can.
    async fn the_log_is_a_chain_that_anybody_can_check(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        let id = text(&bought["order"]["id"]);
        let cancel = Call::post(format!("/v1/orders/{id}/cancel")).customer(1);
        cancel.json(json!({"reason": "I live in Rua Secreta now"})).send(&service).await.ok(200);
        let log = Call::get(format!("/v1/orders/{id}/events")).customer(1).send(&service).await.ok(200);
        let events = log["data"].as_array().unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| text(&event["type"])).collect();
        assert_eq!(kinds, ["order_placed", "payment_captured", "order_cancelled", "refund_succeeded"]);
        let mut previous = vec![0_u8; 32];
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["sequence"], index + 1);
            let content = json!({
                "order_id": id, "sequence": event["sequence"], "type": event["type"], "at": event["at"],
                "actor": event["actor"], "data": event["data"],
            });
            // serde_json's own map is sorted unless some other crate asks for the order of insertion.
            let sorted: std::collections::BTreeMap<String, Value> =
                serde_json::from_value(content).unwrap();
            let text = serde_json::to_string(&sort(json!(sorted))).unwrap();
            let hash = Sha256::new().chain_update(&previous).chain_update(text.as_bytes()).finalize();
            assert_eq!(event["hash"], hex::encode(hash), "{text}");
            previous = hash.to_vec();
        }
        assert_eq!(events[0]["actor"], format!("customer:{}", crate::stack::customer(1)));
        assert!(!log.to_string().contains("Rua"), "the log holds personal data");
        let told = json!(stack.told().await).to_string();
        assert!(!told.contains("Rua") && !told.contains("Maria"), "an event holds personal data");
    }
}

fn sort(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: std::collections::BTreeMap<_, _> =
                members.into_iter().map(|(name, value)| (name, sort(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
        other => other,
    }
}

#[tokio::test]
async fn a_log_that_was_changed_is_noticed() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let bought = buy(&stack, &service, 1).await;
    stack
        .database
        .write(|mut tx| async move {
            tx.execute(
                "UPDATE order_events SET actor = $1 WHERE sequence = $2",
                &database::params!["system", 1],
            )
            .await?;
            tx.commit(()).await
        })
        .await
        .unwrap();
    let cancel = format!("/v1/orders/{}/cancel", text(&bought["order"]["id"]));
    let refused = Call::post(cancel).customer(1).json(json!({})).send(&service).await;
    assert_eq!(refused.refusal(), (500, "internal"));
}

#[tokio::test]
async fn lists_are_for_those_they_are_for() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let orders = [Role::Orders];
    assert_eq!(Call::get("/v1/orders").send(&service).await.refusal(), (401, "auth.missing"));
    let refused = Call::get("/v1/orders").by(staff(&orders)).send(&service).await;
    assert_eq!(refused.refusal(), (403, "auth.forbidden"));
    for path in ["/v1/admin/orders", "/v1/admin/orders/ord_01h455vb4pex5vsknk084sn02q"] {
        assert_eq!(Call::get(path).send(&service).await.refusal(), (401, "auth.missing"));
        assert_eq!(Call::get(path).customer(1).send(&service).await.refusal(), (403, "auth.forbidden"));
        let wrong = Call::get(path).by(staff(&[Role::Catalog])).send(&service).await;
        assert_eq!(wrong.refusal(), (403, "auth.forbidden"));
    }
    let absent = Call::get("/v1/admin/orders/ord_01h455vb4pex5vsknk084sn02q").by(staff(&orders));
    assert_eq!(absent.send(&service).await.refusal(), (404, "orders.not_found"));
    for (query, pointer) in [
        ("status=lost", "?status"),
        ("placed_from=yesterday", "?placed_from"),
        ("limit=0", "?limit"),
        ("colour=red", "?colour"),
    ] {
        let refused = Call::get(format!("/v1/orders?{query}")).customer(1).send(&service).await;
        assert_eq!(refused.refusal(), (400, "request.validation"), "{query}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let refused = Call::get("/v1/orders?cursor=7").customer(1).send(&service).await;
    assert_eq!(refused.refusal(), (400, "request.bad_cursor"));
}

testkit::on_both_engines! {
    async fn staff_see_everybodys_orders(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let mine = buy(&stack, &service, 1).await;
        stack.advance(60);
        let variant = stack.catalog.stock(2, 700, 10);
        put(&service, 2, variant, 1).await;
        let theirs =
            Call::post("/v1/checkouts").customer(2).json(checkout("tok_visa")).send(&service).await.ok(201);
        let (mine, theirs) = (text(&mine["order"]["number"]), text(&theirs["order"]["number"]));
        // Variants with an odd number are sold by one seller, those with an even number by another.
        let seller = |odd: u128| kernel::SellerId::from_uuid(uuid::Uuid::from_u128(0xD000 + odd));
        let customer = crate::stack::customer(1);
        let cases = [
            (String::new(), vec![theirs, mine]),
            (format!("customer_id={customer}"), vec![mine]),
            (format!("seller_id={}", seller(0)), vec![theirs]),
            (format!("seller_id={}", seller(1)), vec![mine]),
            (format!("seller_id={}&customer_id={customer}", seller(0)), vec![]),
            (format!("number={}", theirs.to_lowercase()), vec![theirs]),
            ("status=placed&payment_status=captured&fulfilment_status=unfulfilled".into(), vec![theirs, mine]),
            ("placed_to=2025-12-31".into(), vec![]),
        ];
        for (query, expected) in cases {
            let call = Call::get(format!("/v1/admin/orders?{query}")).by(staff(&[Role::Orders]));
            assert_eq!(numbers(&call.send(&service).await.ok(200)), expected, "{query}");
        }
        for query in ["", &format!("seller_id={}&", seller(0))] {
            let call = Call::get(format!("/v1/admin/orders?{query}limit=1")).by(staff(&[Role::Support]));
            let page = call.send(&service).await.ok(200);
            let (first, next) = (numbers(&page), page["next_cursor"].as_str().map(str::to_owned));
            let Some(next) = next else { continue };
            let call = Call::get(format!("/v1/admin/orders?{query}limit=1&cursor={next}"));
            let page = call.by(staff(&[Role::Support])).send(&service).await.ok(200);
            assert_eq!([first, numbers(&page)].concat(), [theirs, mine]);
        }
    }
}
