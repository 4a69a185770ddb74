//! Card numbers do not stay, wherever they are put.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use super::buyers::{Ask, access, sign_up};
use super::record::record;
use crate::api::Api;
use crate::journey::sign_in;
use crate::shop::{STAFF, Shop, WRITE_KEY};

/// Numbers that nothing else holds by chance: test numbers of two brands, with digits that pass the check.
const CARDS: [&str; 2] = ["4929837465108321", "374251863095841"];

const CLAIM: &str = "A card number, however it is written, in any field of any request with a body, is refused with \
    request.card_number, or for analytics left out. Sent in paths, queries, header fields, cookies and to webhooks as \
    well, its digits are afterwards in no byte of the data folder (databases, their write-ahead logs, files, mails), \
    of the logs at level debug, or of the metrics.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_refused_and_leave_no_trace() {
    let cards = CARDS.map(with_check_digit);
    let shop = Shop::embedded_with("[telemetry.log]\nlevel = 'debug'\n").await;
    let api = &shop.api;
    sign_up(&shop, "card@example.com").await;
    let customer = access(api, "card@example.com").await;
    let staff = sign_in(api, STAFF.0, STAFF.1).await.access;
    let document = api.get("/openapi.json").send().await.body;

    let mut refused = 0;
    for operation in Operation::all(&document) {
        let token = operation.token(&customer, &staff);
        for (nth, field) in operation.fields.iter().chain([&"unheard_of".to_owned()]).enumerate() {
            let card = &cards[nth % cards.len()];
            let written = ways(card);
            let (value, pointer) = written[nth % written.len()].clone();
            let body = json!({field.as_str(): value});
            let mut ask = Ask::new(operation.method.clone(), &operation.path);
            ask.body = Some(body.clone());
            let ask = ask.bearer(token).with("if-match", "\"1\"");
            let answer = ask.call(api).send().await;
            let what = format!("{} {} {body}", operation.method, operation.path);
            assert!(answer.status < 500, "{what}: {}", answer.text);
            if operation.refuses {
                assert_eq!(
                    (answer.status, answer.code()),
                    (400, "request.card_number"),
                    "{what}: {}",
                    answer.text
                );
                assert_eq!(answer.body["errors"][0]["pointer"], format!("/{field}{pointer}"), "{what}");
                refused += 1;
            }
            assert!(!digits_in(answer.text.as_bytes(), card), "{what} is answered with it: {}", answer.text);
        }
    }
    let elsewhere = elsewhere(api, &customer, &staff, &cards).await;
    for card in &cards {
        assert!(
            !digits_in(shop.logs().as_bytes(), card),
            "a log holds {card}: {}",
            around(&shop.logs(), card)
        );
        let metrics = api.http().get(format!("{}/metrics", shop.ops())).send().await.unwrap();
        assert!(!digits_in(metrics.text().await.unwrap().as_bytes(), card), "the metrics hold {card}");
    }
    let (files, bytes) = search(&shop.folder().join("data"), &cards);
    assert!(files > 10 && bytes > 100_000, "{files} files, {bytes} bytes");
    let facts = [
        ("requests refused", json!(refused)),
        ("requests with a card elsewhere", json!(elsewhere)),
        ("files searched", json!(files)),
        ("bytes searched", json!(bytes)),
    ];
    println!("cards: {facts:?}");
    record("cards", CLAIM, &facts);
}

/// An operation that reads a body.
struct Operation {
    method: Method,
    path: String,
    /// The names of the members of its body.
    fields: Vec<String>,
    /// Whether it says that it refuses card numbers.
    refuses: bool,
    staff: bool,
    public: bool,
}

impl Operation {
    /// Every operation with a JSON body that the document knows.
    fn all(document: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                if schema.is_null() {
                    continue;
                }
                let security = operation["security"].to_string();
                found.push(Self {
                    method: method.to_uppercase().parse().unwrap(),
                    path: filled(template),
                    fields: members(document, schema),
                    refuses: operation["responses"].to_string().contains("request.card_number")
                        && !is_analytics(template),
                    staff: !security.contains("customer") && security.contains("staff"),
                    public: security.contains("{}"),
                });
            }
        }
        assert!(found.len() > 30, "the document lists {} operations with a body", found.len());
        found
    }

    fn token<'a>(&self, customer: &'a str, staff: &'a str) -> Option<&'a str> {
        match (self.public, self.staff) {
            (true, _) => None,
            (_, true) => Some(staff),
            _ => Some(customer),
        }
    }
}

fn is_analytics(path: &str) -> bool {
    ["a", "alias", "b", "batch", "g", "group", "i", "identify", "p", "page", "s", "screen", "t", "track"]
        .iter()
        .any(|name| path == format!("/v1/{name}"))
}

/// A path with an id of the right kind in every place.
fn filled(template: &str) -> String {
    let kind = match template {
        path if path.contains("/orders/") => "ord",
        path if path.contains("/payments/") => "pay",
        path if path.contains("/polls/") => "pol",
        path if path.contains("/products/") => "prd",
        path if path.contains("/addresses/") => "adr",
        _ => "var",
    };
    let id = format!("{kind}_01h455vb4pex5vsknk084sn02q");
    template
        .replace("{purpose}", "marketing_email")
        .replace("{provider}", "sandbox")
        .replace("{challenge}", "none")
        .replace("{id}", &id)
        .replace("{variant_id}", &id)
}

/// The names of the members that a schema lists, whatever it is put together from.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(reference) = schema["$ref"].as_str() {
        names.extend(members(document, document.pointer(reference.trim_start_matches('#')).unwrap()));
    }
    names.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for part in ["allOf", "oneOf", "anyOf"] {
        names.extend(schema[part].as_array().into_iter().flatten().flat_map(|part| members(document, part)));
    }
    names.sort();
    names.dedup();
    names
}

/// A card number in the ways it is written in JSON, with where in the value it then is.
fn ways(card: &str) -> Vec<(Value, &'static str)> {
    let groups = |separator: &str| -> String {
        let sizes: &[usize] = if card.len() == 15 { &[4, 6, 5] } else { &[4, 4, 4, 4] };
        let mut rest = card;
        let groups: Vec<&str> = sizes
            .iter()
            .map(|size| {
                let (group, after) = rest.split_at(*size);
                rest = after;
                group
            })
            .collect();
        groups.join(separator)
    };
    vec![
        (json!(card), ""),
        (json!(groups(" ")), ""),
        (json!(groups("-")), ""),
        (json!(card.parse::<u64>().unwrap()), ""),
        (json!(-card.parse::<i64>().unwrap()), ""),
        (json!(card.parse::<f64>().unwrap()), ""),
        (json!(format!("my card is {}, thanks", groups(" "))), ""),
        (json!(["x", {"deep": [groups("-")]}]), "/1/deep/0"),
    ]
}

/// Sends card numbers where no body is: none of it may stay, and none of it may break anything.
async fn elsewhere(api: &Api, customer: &str, staff: &str, cards: &[String]) -> usize {
    let mut asks = Vec::new();
    for card in cards {
        let spaced = format!("{}%20{}%20{}", &card[..4], &card[4..10], &card[10..]);
        for text in [card, &spaced] {
            for path in [
                format!("/v1/products?query={text}"),
                format!("/v1/products?brand={text}&cursor={text}&limit={text}"),
                format!("/v1/products/{text}"),
                format!("/v1/carts/me?cart_id={text}"),
                format!("/v1/projects/{text}/settings"),
                format!("/sandbox/challenges/{text}"),
                format!("/media/{text}/{text}.jpg"),
                format!("/v1/{text}"),
                format!("/{text}?{text}={text}"),
            ] {
                asks.push(Ask::new(Method::GET, path));
            }
            for path in ["orders?query", "orders?cursor", "polls?placement", "stream?topics", "orders?number"]
            {
                asks.push(Ask::new(Method::GET, format!("/v1/{path}={text}")).bearer(Some(customer)));
            }
            for path in
                ["orders?number", "customers?email", "customers?query", "products?query", "payments?order_id"]
            {
                asks.push(Ask::new(Method::GET, format!("/v1/admin/{path}={text}")).bearer(Some(staff)));
            }
            asks.push(Ask::new(Method::GET, format!("/v1/orders/{text}")).bearer(Some(customer)));
            asks.push(Ask::new(Method::DELETE, format!("/v1/auth/sessions/{text}")).bearer(Some(customer)));
        }
        let note = json!({"name": "Ada", "line1": "1 Way", "city": "Berlin", "country": "DE"});
        asks.push(Ask::post("/v1/customers/me/addresses", note, card).bearer(Some(customer)));
        let signin = json!({"email": "card@example.com", "password": "a long enough passphrase"});
        for name in [
            "user-agent",
            "referer",
            "x-request-id",
            "origin",
            "cookie",
            "souk-cart",
            "x-forwarded-for",
            "traceparent",
            "tracestate",
            "baggage",
            "if-none-match",
            "accept-language",
            "host",
            "souk-order-token",
            "x-session-id",
            "last-event-id",
            "authorization",
        ] {
            let value = if name == "cookie" { format!("souk_cart={card}") } else { card.clone() };
            asks.push(
                Ask { body: Some(signin.clone()), ..Ask::new(Method::POST, "/v1/auth/signin") }
                    .with(name, &value),
            );
            asks.push(Ask::new(Method::GET, "/v1/carts/me").with(name, &value));
        }
        asks.push(Ask { body: Some(json!({"id": card})), ..Ask::new(Method::POST, "/webhooks/sandbox") });
        asks.push(Ask {
            body: Some(json!({"id": card})),
            ..Ask::new(Method::POST, format!("/webhooks/{card}"))
        });
        for (value, _) in ways(card) {
            let event = json!({"writeKey": WRITE_KEY, "type": "track", "event": "Card", "messageId": format!("m-{value}"),
                "anonymousId": "anon-1", "properties": {"note": value}, "context": {"page": {"url": value}}});
            asks.push(Ask { body: Some(event.clone()), ..Ask::new(Method::POST, "/v1/track") });
            let batch = json!({"writeKey": WRITE_KEY, "batch": [event]});
            asks.push(Ask { body: Some(batch), ..Ask::new(Method::POST, "/v1/batch") });
        }
    }
    for ask in &asks {
        // What no path of ours looks like is not in the document, so it is sent past it.
        let mut request = api.http().request(ask.method.clone(), api.url(&ask.path));
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        if let Some(key) = &ask.key {
            request = request.header("idempotency-key", key);
        }
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert!(status < 500, "{ask:?} was answered with {status}");
    }
    asks.len()
}

/// Fails when a file below `folder` holds one of `cards`. Answers with how many files and bytes it read.
fn search(folder: &Path, cards: &[String]) -> (usize, usize) {
    let (mut files, mut bytes) = (0, 0);
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = std::fs::read(&path).unwrap();
            for card in cards {
                let text = String::from_utf8_lossy(&content);
                assert!(
                    !digits_in(&content, card),
                    "{} holds {card}: {}",
                    path.display(),
                    around(&text, card)
                );
            }
            (files, bytes) = (files + 1, bytes + content.len());
        }
    }
    (files, bytes)
}

/// Whether the digits of `card` follow each other in `bytes`, with at most three bytes that are no digits between them.
fn digits_in(bytes: &[u8], card: &str) -> bool {
    find(bytes, card).is_some()
}

/// Where they end.
fn find(bytes: &[u8], card: &str) -> Option<usize> {
    let mut window = std::collections::VecDeque::with_capacity(card.len());
    let mut gap = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_digit() {
            gap = 0;
            if window.len() == card.len() {
                window.pop_front();
            }
            window.push_back(*byte);
            if window.iter().eq(card.as_bytes()) {
                return Some(at);
            }
        } else {
            gap += 1;
            if gap > 3 {
                window.clear();
            }
        }
    }
    None
}

fn around(text: &str, card: &str) -> String {
    let end = find(text.as_bytes(), card).unwrap_or_default();
    let bytes = &text.as_bytes()[end.saturating_sub(300)..(end + 100).min(text.len())];
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number with its last digit as Luhn wants it.
fn with_check_digit(number: &str) -> String {
    let body = &number[..number.len() - 1];
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(nth, digit)| {
            let digit = u32::from(digit - b'0') * if nth % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[test]
fn digits_are_found_whatever_lies_between() {
    let card = with_check_digit(CARDS[0]);
    for (value, _) in ways(&card) {
        assert!(digits_in(value.to_string().as_bytes(), &card), "{value}");
    }
    assert!(!digits_in(b"4929 and 8374 and 6510 and 8321", &card));
}
