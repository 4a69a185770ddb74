//! Services in other processes.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::{any, get};
use axum::{Json, Router};
use futures_util::StreamExt as _;
use gateway::{GatewayConfig, ServerConfig};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::door::{Door, client, gateway, local, remote};

/// Tells what arrived.
async fn echo(request: Request) -> Json<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap_or_default())))
        .collect();
    Json(json!({
        "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

fn orders() -> Router {
    Router::new().route("/v1/orders", any(echo)).route("/v1/orders/{*rest}", any(echo))
}

async fn in_front(upstream: &Door) -> Door {
    let server = ServerConfig::default();
    let router = gateway(GatewayConfig::default(), &server, vec![remote("orders", upstream.address)]);
    Door::serve(router, server).await
}

#[tokio::test]
async fn a_request_arrives_whole_and_without_what_it_must_not_carry() {
    let upstream = Door::serve(orders(), ServerConfig::default()).await;
    let front = in_front(&upstream).await;
    let answer: Value = client()
        .post(front.url("/v1/orders/ord_1/cancel?a=b%20c"))
        .header("authorization", "Bearer x")
        .header("souk-internal-token", "forged")
        .header("x-forwarded-for", "203.0.113.9")
        .header("te", "trailers")
        .header("idempotency-key", "k")
        .body("hello")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (answer["method"].as_str(), answer["uri"].as_str()),
        (Some("POST"), Some("/v1/orders/ord_1/cancel?a=b%20c"))
    );
    assert_eq!(answer["body"], "hello");
    let headers = &answer["headers"];
    assert_eq!(headers["idempotency-key"], "k");
    assert_eq!(headers["authorization"], "Bearer x");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1", "only what was found out here is passed on");
    assert!(headers["traceparent"].is_string() && headers["x-request-id"].is_string());
    for gone in ["souk-internal-token", "te", "connection"] {
        assert!(headers.get(gone).is_none(), "{gone} in {headers}");
    }
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let lines = || async {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::convert::Infallible>>(1);
        tokio::spawn(async move {
            let _ = sender.send(Ok(Bytes::from_static(b"first"))).await;
            // It stays open until the reader is gone: a proxy that waits for the end would never answer.
            sender.closed().await;
        });
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        Body::from_stream(stream)
    };
    let upstream = Door::serve(Router::new().route("/v1/orders", get(lines)), ServerConfig::default()).await;
    let front = in_front(&upstream).await;
    let response = client().get(front.url("/v1/orders")).send().await.unwrap();
    let first = response.bytes_stream().next().await.unwrap().unwrap();
    assert_eq!(first, "first");
}

#[tokio::test]
async fn a_service_that_is_away_is_a_problem_with_retry_after() {
    let upstream = Door::serve(orders(), ServerConfig::default()).await;
    let front = in_front(&upstream).await;
    assert_eq!(client().get(front.url("/v1/orders")).send().await.unwrap().status(), 200);
    upstream.close().await;
    let answer = client().get(front.url("/v1/orders")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "service.unavailable");
}

#[tokio::test]
async fn internal_routes_and_unknown_ones_lead_nowhere() {
    let inside = Router::new().route("/internal/orders/x", any(echo)).merge(orders());
    let upstream = Door::serve(inside, ServerConfig::default()).await;
    let front = in_front(&upstream).await;
    for path in ["/internal/orders/x", "/v1/ordersx", "/", "/v1//orders"] {
        let answer = client().get(front.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "request.not_found", "{path}");
    }
}

#[tokio::test]
async fn here_and_elsewhere_stand_side_by_side() {
    let upstream = Door::serve(orders(), ServerConfig::default()).await;
    let server = ServerConfig::default();
    let products = Router::new().route("/v1/products", get(async |_: HeaderMap| "here"));
    let upstreams = vec![remote("orders", upstream.address), local("catalog", products)];
    let front = Door::serve(gateway(GatewayConfig::default(), &server, upstreams), server).await;
    assert_eq!(client().get(front.url("/v1/products")).send().await.unwrap().text().await.unwrap(), "here");
    assert_eq!(client().get(front.url("/v1/orders")).send().await.unwrap().status(), 200);
}
