//! Limits, headers, CORS, compression.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use gateway::{CorsConfig, GatewayConfig, RateLimit, ServerConfig};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::door::{Door, client, gateway, local};

fn shop() -> Router {
    Router::new()
        .route("/v1/products", get(async || "x".repeat(5_000)))
        .route("/v1/auth/signin", post(async |_: String| "ok"))
}

async fn open(config: GatewayConfig, server: ServerConfig) -> Door {
    let router = gateway(config, &server, vec![local("catalog", shop())]);
    Door::serve(router, server).await
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let config = GatewayConfig {
        requests: RateLimit { quota: 5, window_seconds: 60 },
        authentication: RateLimit { quota: 2, window_seconds: 60 },
        ..GatewayConfig::default()
    };
    let door = open(config, ServerConfig::default()).await;
    let signin = || client().post(door.url("/v1/auth/signin")).body("{}").send();
    let first = signin().await.unwrap();
    assert_eq!(first.status(), 200);
    let policy = first.headers()["ratelimit-policy"].to_str().unwrap();
    assert_eq!(policy, r#""authentication";q=2;w=60, "requests";q=5;w=60"#);
    assert!(first.headers()["ratelimit"].to_str().unwrap().starts_with(r#""authentication";r=1;t="#));
    assert_eq!(signin().await.unwrap().status(), 200);
    let refused = signin().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited");
    assert_eq!(problem["violated_policies"][0], "authentication");
    // Two of the five are left for anything else.
    let statuses = [
        client().get(door.url("/v1/products")).send().await.unwrap().status().as_u16(),
        client().get(door.url("/v1/products")).send().await.unwrap().status().as_u16(),
        client().get(door.url("/v1/products")).send().await.unwrap().status().as_u16(),
    ];
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn looking_for_what_is_not_there_is_counted_too() {
    let config =
        GatewayConfig { requests: RateLimit { quota: 2, window_seconds: 60 }, ..GatewayConfig::default() };
    let door = open(config, ServerConfig::default()).await;
    let nowhere = client().get(door.url("/.env")).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);
    assert!(nowhere.headers().contains_key("ratelimit"));
    let answer: Value = nowhere.json().await.unwrap();
    assert_eq!(answer["code"], "request.not_found");
    assert_eq!(client().get(door.url("/wp-login.php")).send().await.unwrap().status(), 404);
    assert_eq!(client().get(door.url("/backup.sql")).send().await.unwrap().status(), 429);
}

/// A refusal that overtakes its request's body ends the connection, and with it the next request on it.
#[tokio::test]
async fn a_small_body_has_arrived_before_its_request_is_refused() {
    let door = open(GatewayConfig::default(), ServerConfig::default()).await;
    let mut connection = TcpStream::connect(door.address).await.unwrap();
    let mut answer = [0; 4_096];
    for _ in 0..2 {
        let head = b"POST /nowhere HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 2\r\n\r\n";
        connection.write_all(head).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(100), connection.read(&mut answer)).await;
        assert!(early.is_err(), "it was answered before its body came");
        connection.write_all(b"{}").await.unwrap();
        let length = connection.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 404"), "{}", answer[..length].escape_ascii());
    }
}

#[tokio::test]
async fn a_large_body_that_is_refused_ends_the_connection_and_says_so() {
    let door = open(GatewayConfig::default(), ServerConfig::default()).await;
    let mut connection = TcpStream::connect(door.address).await.unwrap();
    let head = b"POST /nowhere HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 100000\r\n\r\n";
    connection.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 404") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_told_apart_and_others_cannot_pretend() {
    let config =
        || GatewayConfig { requests: RateLimit { quota: 1, window_seconds: 60 }, ..GatewayConfig::default() };
    let ask = async |door: &Door, client_address: &str| {
        let request = client().get(door.url("/v1/products")).header("x-forwarded-for", client_address);
        request.send().await.unwrap().status().as_u16()
    };
    let trusting = ServerConfig { trusted_proxies: vec!["127.0.0.1".into()], ..ServerConfig::default() };
    let door = open(config(), trusting).await;
    assert_eq!([ask(&door, "203.0.113.1").await, ask(&door, "203.0.113.2").await], [200, 200]);
    assert_eq!(ask(&door, "203.0.113.1").await, 429);
    // All of one IPv6 subscriber's network is one client.
    assert_eq!([ask(&door, "2001:db8::1").await, ask(&door, "2001:db8::2").await], [200, 429]);

    let door = open(config(), ServerConfig::default()).await;
    assert_eq!([ask(&door, "203.0.113.1").await, ask(&door, "203.0.113.2").await], [200, 429]);
}

#[tokio::test]
async fn answers_carry_security_headers() {
    let door = open(GatewayConfig::default(), ServerConfig::default()).await;
    let answer = client().get(door.url("/v1/products")).send().await.unwrap();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    assert!(answer.headers().get("strict-transport-security").is_none(), "not without TLS");
    let missing = client().get(door.url("/nothing")).send().await.unwrap();
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn only_pages_of_configured_origins_may_call() {
    let cors = CorsConfig { origins: vec!["https://shop.example".into()] };
    let door = open(GatewayConfig { cors, ..GatewayConfig::default() }, ServerConfig::default()).await;
    let preflight = async |origin: &str| {
        client()
            .request(Method::OPTIONS, door.url("/v1/products"))
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,if-match")
            .send()
            .await
            .unwrap()
    };
    let ours = preflight("https://shop.example").await;
    assert_eq!(ours.headers()["access-control-allow-origin"], "https://shop.example");
    let fields = ours.headers()["access-control-allow-headers"].to_str().unwrap();
    for field in ["authorization", "idempotency-key", "souk-cart", "souk-order-token"] {
        assert!(fields.split(',').any(|allowed| allowed == field), "{field} is not in {fields}");
    }
    assert_eq!(ours.headers()["access-control-allow-credentials"], "true");
    let theirs = preflight("https://evil.example").await;
    assert!(theirs.headers().get("access-control-allow-origin").is_none());
    let answer =
        client().get(door.url("/v1/products")).header("origin", "https://shop.example").send().await.unwrap();
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("etag") && exposed.contains("x-request-id"), "{exposed}");
}

#[tokio::test]
async fn what_is_long_is_compressed_for_those_who_can_read_it() {
    let door = open(GatewayConfig::default(), ServerConfig::default()).await;
    for encoding in ["gzip", "br"] {
        let request = client().get(door.url("/v1/products")).header("accept-encoding", encoding);
        let answer = request.send().await.unwrap();
        // The client of this test takes gzip off by itself.
        assert!(answer.headers().get("content-encoding").is_none_or(|told| told == encoding));
        let vary = answer.headers()["vary"].to_str().unwrap().to_lowercase();
        assert!(vary.contains("accept-encoding"), "{vary}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = ServerConfig { body_limit: 100, ..ServerConfig::default() };
    let door = open(GatewayConfig::default(), server).await;
    let answer = client().post(door.url("/v1/auth/signin")).body("x".repeat(101)).send().await.unwrap();
    assert_eq!(answer.status(), 413);
}
