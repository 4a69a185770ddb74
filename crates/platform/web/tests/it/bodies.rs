use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post as on_post;
use http::Method;
use serde::Deserialize;
use web::{Checks, ValidJson, Validate};

use crate::support::{code, post, refusal, request, send};

#[derive(Deserialize)]
struct NewOrder {
    email: String,
    lines: Vec<Line>,
    #[serde(default)]
    gift: Option<Gift>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
enum Gift {
    Card { text: String },
    // A unit variant would let unknown fields pass: serde does not look at them.
    Wrapping {},
}

impl Validate for NewOrder {
    fn validate(&self, checks: &mut Checks) {
        checks.text("email", &self.email, 3..=254);
        checks.count("lines", self.lines.len(), 1..=2);
        checks.each("lines", &self.lines);
        if let Some(Gift::Card { text }) = &self.gift {
            checks.text("gift", text, 1..=20);
        }
    }
}

impl Validate for Line {
    fn validate(&self, checks: &mut Checks) {
        checks.text("sku", &self.sku, 1..=40);
        checks.range("quantity", self.quantity, 1..=99);
    }
}

fn app() -> Router {
    let handler = async |ValidJson(order): ValidJson<NewOrder>| {
        let wrapped = matches!(order.gift, Some(Gift::Wrapping {}));
        format!("{} {} {wrapped}", order.email, order.lines.len())
    };
    Router::new().route("/orders", on_post(handler)).layer(DefaultBodyLimit::max(4_096))
}

#[tokio::test]
async fn a_sound_body_is_read() {
    let body = r#"{"email":"a@b.example","lines":[{"sku":"s","quantity":1}],"gift":{"kind":"wrapping"}}"#;
    assert_eq!(post(&app(), "/orders", body).await.text(), "a@b.example 1 true");
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
    {
        let request = request(Method::POST, "/orders", &[("content-type", media_type)], body);
        assert_eq!(send(&app(), request).await.status, 200, "{media_type}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_pointer() {
    let cases: [(&str, &[&str]); 11] = [
        (r#"{"lines":[]}"#, &["/email required"]),
        (r#"{"email":7,"lines":[]}"#, &["/email invalid_type"]),
        (r#"{"email":"a@b","lines":[{"sku":"s","quantity":"1"}]}"#, &["/lines/0/quantity invalid_type"]),
        (r#"{"email":"a@b","lines":[{"sku":"s"}]}"#, &["/lines/0/quantity required"]),
        (r#"{"email":"a@b","email":"c@d","lines":[]}"#, &["/email duplicate_field"]),
        (
            r#"{"email":"a@b","lines":[{"sku":"s","quantity":1,"price":0,"a/b":1}],"x":{"y":1}}"#,
            &["/lines/0/price unknown_field", "/lines/0/a~1b unknown_field", "/x unknown_field"],
        ),
        (
            r#"{"email":"","lines":[{"sku":"s","quantity":100},{"sku":" ","quantity":1}]}"#,
            &["/email required", "/lines/0/quantity out_of_range", "/lines/1/sku required"],
        ),
        (r#"{"email":"a@b","lines":[]}"#, &["/lines too_few"]),
        (r#"{"email":"a@b","lines":[],"gift":{"kind":"wrapping","x":1}}"#, &["/gift/x unknown_field"]),
        (r#"{"email":"a@b","lines":[],"gift":{"kind":"card"}}"#, &["/gift/text required"]),
        ("7", &[" invalid_type"]),
    ];
    for (body, errors) in cases {
        assert_eq!(
            post(&app(), "/orders", body).await.refusal(),
            refusal(400, "request.validation", errors),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_sentence_names_the_field_once() {
    let answer = post(&app(), "/orders", r#"{"lines":[]}"#).await;
    assert_eq!(answer.json()["detail"], "The request cannot be used: `/email` is missing.");
    let answer = post(&app(), "/orders", r#"{"email":"a@b","email":"c@d","lines":[]}"#).await;
    assert_eq!(answer.json()["detail"], "The request cannot be used: `/email` stands twice.");
}

#[tokio::test]
async fn a_card_number_never_comes_in() {
    let body = r#"{"email":"a@b","lines":[{"sku":"4242 4242 4242 4242","quantity":1}]}"#;
    let answer = post(&app(), "/orders", body).await;
    assert_eq!(answer.refusal(), refusal(400, "request.card_number", &["/lines/0/sku card_number"]));
    assert!(!answer.text().contains("4242"), "the number is not repeated");
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    for body in ["", "{", "email=a", "{\"email\": \"a@b\",}", "{} x"] {
        assert_eq!(post(&app(), "/orders", body).await.code(), code(400, "request.malformed_json"), "{body}");
    }
    let deep = "[".repeat(33) + &"]".repeat(33);
    let (status, code, errors) = post(&app(), "/orders", &deep).await.refusal();
    assert_eq!((status, code.as_str(), errors.len()), (400, "request.validation", 1));
    assert!(errors[0].ends_with(" too_deep"), "{errors:?}");
}

#[tokio::test]
async fn other_media_types_and_large_bodies_are_refused() {
    for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/x-json")]] {
        let answer = send(&app(), request(Method::POST, "/orders", headers, "{}")).await;
        assert_eq!(answer.code(), code(415, "request.unsupported_media_type"));
    }
    let large = format!(r#"{{"email":"{}"}}"#, "a".repeat(5_000));
    assert_eq!(post(&app(), "/orders", &large).await.code(), code(413, "request.too_large"));
}
