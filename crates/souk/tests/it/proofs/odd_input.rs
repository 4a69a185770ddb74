//! Input that no generator of well-formed requests makes: bytes that are no text, numbers beyond every type,
//! half a surrogate, names twice, depth without end, in every place of every operation.

use std::fmt::Write as _;

use kernel::Rng;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::crowd::Crowd;
use super::operations::{Operation, Operations};
use super::record::{record, scale, seed};
use crate::api::Api;
use crate::document::Document;
use crate::shop::Shop;

/// What stands in a path or a query where something else should.
const TEXTS: [&str; 22] = [
    "%00",
    "%FF",
    "%ED%A0%80",
    "%C0%AF",
    "..%2F..%2Fetc%2Fpasswd",
    "%E2%80%AE",
    "%F0%9F%92%84",
    "%20",
    "'%20OR%201%3D1--",
    "%25",
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1e309",
    "NaN",
    "true",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "2026-02-30",
    "294277-01-01T00:00:00Z",
];

/// Header fields that the shop reads, with what nobody sane sends.
const FIELDS: [(&str, &[u8]); 24] = [
    ("if-match", b"\"-1\""),
    ("if-match", b"\"99999999999999999999\""),
    ("if-match", b"\xff\xfe"),
    ("if-none-match", b"\xff, W/, \"\""),
    ("idempotency-key", b"\xff"),
    ("idempotency-key", b"a b"),
    ("authorization", b"Bearer \xff"),
    ("authorization", b"Bearer"),
    ("authorization", b"Bearer a.b.c"),
    ("authorization", b"Basic Og=="),
    ("authorization", b"DPoP x"),
    ("souk-cart", b"\xff"),
    ("souk-cart", b"crt_zzzzzzzzzzzzzzzzzzzzzzzzzz"),
    ("cookie", b"souk_cart=\xff; souk_cart=%00"),
    ("souk-order-token", b"\xff"),
    ("souk-position", b"\xff"),
    ("souk-position", b"99999999999999999999/FFFFFFFFFFFFFFFF"),
    ("last-event-id", b"\xff:-1"),
    ("last-event-id", b"x:99999999999999999999"),
    ("traceparent", b"00-\xff"),
    ("x-request-id", b"\xff\xff"),
    ("x-forwarded-for", b"\xff, ::::, 1.2.3.4.5"),
    ("accept", b"\xff/\xff"),
    ("user-agent", b"\xff\x80"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_input_is_refused_and_breaks_nothing() {
    let seed = seed("odd_input");
    let rng = Rng::seeded(seed);
    // PostgreSQL refuses texts and numbers that SQLite takes.
    let shop = Shop::full().await;
    let crowd = Crowd::come(&shop).await;
    let operations = Operations::of(&shop.api).await;
    let document = Document::new(shop.api.get("/openapi.json").expect(200).await.body);
    let attempt = Attempt { api: &shop.api, document: &document };
    let one_in = scale(6, 1);
    let (mut tried, mut failures) = (0_u64, String::new());
    for operation in operations.all() {
        // What changes the account of the caller would end the calls of all others.
        let token = if operation.name().contains("/v1/auth/") { "" } else { token_for(&operation, &crowd) };
        for odd in odd_requests(&operation, &crowd) {
            if rng.below(one_in) != 0 {
                continue;
            }
            tried += 1;
            if let Err(fault) = attempt.make(&operation, token, odd).await {
                writeln!(failures, "{}: {fault}", operation.name()).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "with SOUK_PROVE_SEED={seed}:\n{failures}");
    assert!(!shop.logs().contains("panicked"), "something panicked");
    record(
        "odd_input",
        "Bytes that are no text, numbers beyond every type, half a surrogate, repeated names and endless depth \
         are refused in every place of every operation, with an answer that the API document knows.",
        &[("operations", json!(operations.all().len())), ("requests", json!(tried)), ("seed", json!(seed))],
    );
}

fn token_for<'a>(operation: &Operation<'_>, crowd: &'a Crowd) -> &'a str {
    let callers = operation.callers();
    if callers.iter().any(|caller| caller.starts_with("staff")) {
        &crowd.staff
    } else {
        &crowd.customers[0].token
    }
}

/// A request with one oddity.
#[derive(Clone, Default)]
struct Odd {
    path: String,
    query: String,
    field: Option<(&'static str, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

fn odd_requests(operation: &Operation<'_>, crowd: &Crowd) -> Vec<Odd> {
    let ids = crowd.ids();
    let good = operation.path(|_, prefix| {
        let known = prefix.and_then(|prefix| ids.get(prefix)).and_then(|ids| ids.first());
        known.cloned().unwrap_or_else(|| "x".to_owned())
    });
    let body = operation.body(&ids);
    let plain =
        Odd { path: good, body: body.as_ref().map(|body| body.to_string().into_bytes()), ..Odd::default() };
    let long = "9".repeat(7_000);
    let texts = TEXTS.into_iter().chain([long.as_str()]);
    let mut requests = Vec::new();
    if !operation.parameters("path").is_empty() {
        let with = |text: &str| Odd { path: operation.path(|_, _| text.to_owned()), ..plain.clone() };
        requests.extend(texts.clone().filter(|text| !text.is_empty()).map(with));
    }
    let parameters = operation.parameters("query").into_iter().map(|(name, _)| name);
    for name in parameters.chain(["%FF", "unknown"]) {
        for text in texts.clone() {
            requests.push(Odd { query: format!("{name}={text}"), ..plain.clone() });
        }
        requests.push(Odd { query: format!("{name}=1&{name}=1"), ..plain.clone() });
    }
    for (name, value) in FIELDS {
        requests.push(Odd { field: Some((name, value.to_vec())), ..plain.clone() });
    }
    requests.push(Odd { field: Some(("idempotency-key", vec![b'k'; 256])), ..plain.clone() });
    if let Some(body) = body {
        for content_type in ["", "\u{80}", "application/json; charset=utf-16", "text/xml"] {
            let field = Some(("content-type", content_type.as_bytes().to_vec()));
            requests.push(Odd { field, ..plain.clone() });
        }
        let gzip = Some(("content-encoding", b"gzip".to_vec()));
        requests.push(Odd { field: gzip, ..plain.clone() });
        requests.extend(odd_bodies(&body).into_iter().map(|body| Odd { body: Some(body), ..plain.clone() }));
    }
    requests
}

/// Bodies that are not JSON, or JSON that nobody expects, in place of the whole and of each of its leaves.
fn odd_bodies(body: &Value) -> Vec<Vec<u8>> {
    let text = body.to_string();
    let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let mut bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\xff\xfe\x00".to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        text.as_bytes()[..text.len() - 1].to_vec(),
        format!("{text}{text}").into_bytes(),
        nested.clone().into_bytes(),
        objects.into_bytes(),
        vec![b'7'; 2 * 1024 * 1024],
    ];
    let long = format!("\"{}\"", "x".repeat(300_000));
    let odd = [
        "null",
        "true",
        "[]",
        "{}",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-0",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "\"\"",
        "\" \"",
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u202e\u0007""#,
        "\"\u{10ffff}\"",
        r#""0000-00-00T00:00:00Z""#,
        r#""+999999-01-01T00:00:00Z""#,
        r#"{"\u0000": 1}"#,
        "[[[[null]]]]",
    ];
    for odd in odd.into_iter().chain([long.as_str(), nested.as_str()]) {
        bodies.push(odd.as_bytes().to_vec());
        for pointer in leaves(body, "") {
            bodies.push(replaced(body, &pointer, odd).into_bytes());
        }
    }
    bodies.push(br#"{"bad": "#.iter().chain(b"\"\xff\"}").copied().collect());
    if let Some((name, value)) = body.as_object().and_then(|members| members.iter().next()) {
        bodies.push(format!("{{{}:{value},{}:{value}}}", json!(name), json!(name)).into_bytes());
    }
    bodies
}

fn leaves(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().flat_map(|(name, member)| leaves(member, &format!("{at}/{name}"))).collect()
        }
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| leaves(item, &format!("{at}/{index}")))
            .collect(),
        _ if at.is_empty() => Vec::new(),
        _ => vec![at.to_owned()],
    }
}

/// The body with the raw text `odd` at `pointer`.
fn replaced(body: &Value, pointer: &str, odd: &str) -> String {
    const HOLE: &str = "here-stands-something-odd";
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = json!(HOLE);
    body.to_string().replace(&format!("\"{HOLE}\""), odd)
}

struct Attempt<'a> {
    api: &'a Api,
    document: &'a Document,
}

impl Attempt<'_> {
    /// Says what is wrong with the answer, if anything.
    async fn make(&self, operation: &Operation<'_>, token: &str, odd: Odd) -> Result<(), String> {
        let query = if odd.query.is_empty() { String::new() } else { format!("?{}", odd.query) };
        let url = self.api.url(&format!("{}{query}", odd.path));
        let mut request = self.api.http().request(operation.method(), &url);
        let has = |name: &str| odd.field.as_ref().is_some_and(|(given, _)| *given == name);
        if !token.is_empty() && !has("authorization") {
            request = request.bearer_auth(token);
        }
        if odd.body.is_some() && !has("content-type") {
            request = request.header("content-type", "application/json");
        }
        if operation.parameters("header").iter().any(|(name, _)| *name == "If-Match") && !has("if-match") {
            request = request.header("if-match", "\"1\"");
        }
        if let Some((name, value)) = &odd.field {
            let Ok(value) = HeaderValue::from_bytes(value) else { return Ok(()) };
            request = request.header(HeaderName::from_static(name), value);
        }
        let what = describe(&odd);
        if let Some(body) = odd.body {
            request = request.body(body);
        }
        match request.send().await {
            // A body that is far too large may be cut off before all of it was sent.
            Err(error) if error.is_body() || error.is_request() && what.len() > 300 => Ok(()),
            Err(error) => Err(format!("{what}: no answer: {error:?}")),
            Ok(response) => self.judge(operation, response).await.map_err(|fault| format!("{what}: {fault}")),
        }
    }

    async fn judge(&self, operation: &Operation<'_>, response: Response) -> Result<(), String> {
        let (status, headers) = (response.status(), response.headers().clone());
        if !headers.contains_key("x-request-id") {
            return Err(format!("{status} without a request id"));
        }
        let content_type =
            headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if status == StatusCode::OK && content_type.starts_with("text/event-stream") {
            return Ok(());
        }
        let text = response.text().await.map_err(|error| error.to_string())?;
        if status.is_server_error() {
            return Err(format!("{status} {text}"));
        }
        let problem = content_type == "application/problem+json";
        if status.is_client_error() && !problem {
            return Err(format!("{status} is no problem document but {content_type}: {text}"));
        }
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        // A path that was cut to pieces leads to another address or to none.
        if body["code"] == "request.not_found" || body["code"] == "request.method_not_allowed" {
            return Ok(());
        }
        self.document.judge(operation.method().as_str(), operation.path, status.as_u16(), &body)
    }
}

fn describe(odd: &Odd) -> String {
    let body = odd.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let field = odd.field.as_ref().map(|(name, value)| format!("{name}: {}", value.escape_ascii()));
    let text = format!("{}?{} [{}] {body}", odd.path, odd.query, field.unwrap_or_default());
    text.chars().take(400).collect()
}
