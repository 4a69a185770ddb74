use http::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, request};

const BOOK: &str = "/v1/customers/me/addresses";

fn address(line1: &str) -> Value {
    json!({"name": "Ada Winter", "line1": line1, "city": "Dublin", "country": "IE"})
}

fn with(mut address: Value, field: &str, value: impl Into<Value>) -> Value {
    address[field] = value.into();
    address
}

testkit::on_both_engines! {
    async fn a_book_is_filled_read_and_emptied(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let answer = shop.post(&ada, BOOK, address("1 Alder Street")).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""));
        let at = answer.header("location").to_owned();
        let first = answer.ok();
        assert_eq!(at, format!("{BOOK}/{}", first["id"].as_str().unwrap()));
        assert_eq!((&first["default"], &first["line2"]), (&json!(true), &json!(null)));
        assert_eq!(shop.get(&ada, &at).await.ok(), first);

        shop.advance(std::time::Duration::from_millis(1));
        let second = shop.post(&ada, BOOK, with(address("2 Birch Street"), "default", true)).await.ok();
        let answer = shop.get(&ada, &at).await;
        assert_eq!(answer.header("etag"), "\"2\"", "to lose the default is a change");
        assert_eq!(answer.ok()["default"], false);

        let stale = shop.put(&ada, &at, "\"1\"", address("3 Cedar Street")).await;
        assert_eq!(stale.code(), (412, "precondition.failed"));
        assert_eq!(shop.put(&ada, &at, "", address("3 Cedar Street")).await.code().0, 428);
        let changed = with(address("3 Cedar Street"), "postal_code", "D02 X285");
        let changed = shop.put(&ada, &at, "\"2\"", changed).await.ok();
        assert_eq!((&changed["version"], &changed["default"]), (&json!(3), &json!(false)));
        assert_eq!(shop.get(&ada, &at).await.ok(), changed);
        let default = with(address("3 Cedar Street"), "default", true);
        assert_eq!(shop.put(&ada, &at, "\"3\"", default).await.ok()["default"], true);

        let list = shop.get(&ada, BOOK).await.ok();
        let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
        assert_eq!(ids, [&second["id"], &first["id"]], "the newest first");
        let defaults = list["data"].as_array().unwrap().iter().filter(|entry| entry["default"] == true).count();
        assert_eq!(defaults, 1);

        let stale = shop.send(&ada, request(Method::DELETE, &at, &[("if-match", "\"1\"")], None)).await;
        assert_eq!(stale.code(), (412, "precondition.failed"));
        assert_eq!(shop.delete(&ada, &at).await.status.as_u16(), 204);
        assert_eq!(shop.delete(&ada, &at).await.code(), (404, "customers.address_not_found"));
        assert_eq!(shop.get(&ada, &at).await.code(), (404, "customers.address_not_found"));
    }

    async fn a_book_is_nobody_elses(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let (ada, eve) = (shop.customer(), shop.customer());
        let answer = shop.post(&ada, BOOK, address("1 Alder Street")).await;
        let at = answer.header("location").to_owned();
        assert_eq!(shop.get(&eve, &at).await.code(), (404, "customers.address_not_found"));
        let theirs = shop.put(&eve, &at, "\"1\"", address("6 Evil Street")).await;
        assert_eq!(theirs.code(), (404, "customers.address_not_found"));
        assert_eq!(shop.delete(&eve, &at).await.code(), (404, "customers.address_not_found"));
        assert_eq!(shop.get(&eve, BOOK).await.ok()["data"], json!([]));
        assert_eq!(shop.get(&ada, &at).await.ok()["line1"], "1 Alder Street");
        assert_eq!(shop.get(&ada, &format!("{BOOK}/ord_1")).await.code(), (404, "request.bad_id"));
    }

    async fn a_book_has_pages_and_an_end(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        for number in 0..50 {
            shop.post(&ada, BOOK, address(&format!("{number} Elm Street"))).await.ok();
        }
        let full = shop.post(&ada, BOOK, address("51 Elm Street")).await;
        assert_eq!(full.code(), (409, "customers.too_many_addresses"));
        let (mut seen, mut next) = (Vec::new(), format!("{BOOK}?limit=20"));
        let mut pages = 0;
        while !next.is_empty() {
            let page = shop.get(&ada, &next).await;
            let link = page.header("link").to_owned();
            next = link.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            seen.extend(page.ok()["data"].as_array().unwrap().iter().map(|entry| entry["id"].to_string()));
            pages += 1;
        }
        assert_eq!((pages, seen.len()), (3, 50));
        assert!(seen.is_sorted_by(|a, b| a > b));
        let nonsense = shop.get(&ada, &format!("{BOOK}?cursor=nonsense")).await;
        assert_eq!(nonsense.code(), (400, "request.bad_cursor"));
    }

    async fn asking_twice_adds_once(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let add = |line1: &str| request(Method::POST, BOOK, &[("idempotency-key", "k1")], Some(address(line1)));
        let first = shop.send(&ada, add("1 Alder Street")).await.ok();
        let again = shop.send(&ada, add("1 Alder Street")).await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
        assert_eq!(again.ok(), first);
        let other = shop.send(&ada, add("2 Birch Street")).await;
        assert_eq!(other.code(), (422, "idempotency.key_reused"));
        assert_eq!(shop.get(&ada, BOOK).await.ok()["data"].as_array().unwrap().len(), 1);
    }

    async fn an_address_that_cannot_be_is_refused_by_pointer(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let refused = shop.post(&ada, BOOK, with(address(""), "country", "XX")).await;
        assert_eq!(refused.code(), (400, "request.validation"));
        assert_eq!(refused.pointers(), ["/line1", "/country"]);
        let refused = shop.post(&ada, BOOK, with(address("1 Alder Street"), "planet", "Earth")).await;
        assert_eq!(refused.pointers(), ["/planet"]);
    }
}
