//! Health, readiness and metrics, on a port of their own that is not for the public.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bus::Bus;
use cache::Cache;
use database::Database;
use host::Shutdown;
use http::{StatusCode, header};
use objects::Objects;
use serde_json::{Map, Value, json};
use web::auth::Revocations;

/// What readiness asks.
pub(crate) struct Parts {
    pub(crate) databases: Vec<Database>,
    pub(crate) cache: Cache,
    pub(crate) bus: Bus,
    pub(crate) objects: Objects,
    pub(crate) revocations: Revocations,
    pub(crate) stopping: Shutdown,
    pub(crate) metrics: Arc<telemetry::Guard>,
}

/// Until every part must have said that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// How old the list of ended sessions may be: it is read every second.
const OLDEST_REVOCATIONS: Duration = Duration::from_secs(10);

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(parts))
}

async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let mut checks = Map::new();
    for database in &parts.databases {
        let asked = tokio::time::timeout(PATIENCE, database.read_primary()).await;
        note(&mut checks, &format!("database.{}", database.name()), matches!(asked, Ok(Ok(_))));
    }
    let cache = tokio::time::timeout(PATIENCE, parts.cache.ping()).await;
    note(&mut checks, "cache", matches!(cache, Ok(Ok(()))));
    let objects = tokio::time::timeout(PATIENCE, parts.objects.ping()).await;
    note(&mut checks, "objects", matches!(objects, Ok(Ok(()))));
    note(&mut checks, "bus", parts.bus.ready().is_ok());
    // Without it, nobody could promise that an ended session is refused.
    let revocations = parts.revocations.age().is_some_and(|age| age < OLDEST_REVOCATIONS);
    note(&mut checks, "revocations", revocations);
    // A load balancer must stop sending before the listener closes.
    note(&mut checks, "accepting", !parts.stopping.is_set());
    let well = checks.values().all(|check| check == "ok");
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": well, "checks": checks }))).into_response()
}

fn note(checks: &mut Map<String, Value>, name: &str, well: bool) {
    checks.insert(name.to_owned(), Value::from(if well { "ok" } else { "away" }));
}

async fn metrics(State(parts): State<Arc<Parts>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], parts.metrics.render_metrics()).into_response()
}
