//! Health, readiness and metrics, on a port of their own that is not for the public.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bus::Bus;
use cache::Cache;
use database::{Database, Reader};
use host::Shutdown;
use http::{StatusCode, header};
use mail::Mailer;
use objects::Objects;
use serde_json::{Map, Value, json};
use web::auth::Revocations;

/// What readiness asks.
pub(crate) struct Parts {
    pub(crate) databases: Vec<Database>,
    pub(crate) cache: Cache,
    pub(crate) bus: Bus,
    pub(crate) objects: Objects,
    pub(crate) mailer: Mailer,
    pub(crate) revocations: Revocations,
    pub(crate) stopping: Shutdown,
    pub(crate) metrics: Arc<telemetry::Guard>,
}

/// Until every part must have said that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// How old the list of ended sessions may be: it is read every second.
const OLDEST_REVOCATIONS: Duration = Duration::from_secs(10);

const OK: &str = "ok";
const AWAY: &str = "away";
/// The replica answers and the primary does not.
const READ_ONLY: &str = "read only";

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(parts))
}

/// Ready is who can answer some requests: an engine that all copies share and that only some requests need does
/// not take every copy out of the load balancer. What is away is named in any case.
async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let databases = parts.databases.iter().map(async |database| {
        let state = match tokio::join!(answers(database.read_primary()), answers(database.read())) {
            (true, _) => OK,
            (false, true) => READ_ONLY,
            (false, false) => AWAY,
        };
        (format!("database.{}", database.name()), state)
    });
    let (databases, cache, objects) = tokio::join!(
        futures_util::future::join_all(databases),
        tokio::time::timeout(PATIENCE, parts.cache.ping()),
        tokio::time::timeout(PATIENCE, parts.objects.ping()),
    );
    let or_away = |well: bool| if well { OK } else { AWAY };
    // Without it, nobody could promise that an ended session is refused.
    let revocations = parts.revocations.age().is_some_and(|age| age < OLDEST_REVOCATIONS);
    let mut needed = databases;
    needed.push(("revocations".to_owned(), or_away(revocations)));
    // A load balancer must stop sending before the listener closes.
    needed.push(("accepting".to_owned(), or_away(!parts.stopping.is_set())));
    let ready = needed.iter().all(|(_, state)| *state != AWAY);

    let mut checks: Map<String, Value> =
        needed.into_iter().map(|(name, state)| (name, Value::from(state))).collect();
    for (name, well) in [
        ("cache", matches!(cache, Ok(Ok(())))),
        ("objects", matches!(objects, Ok(Ok(())))),
        ("bus", parts.bus.ready().is_ok()),
        ("mail", !parts.mailer.is_away()),
    ] {
        checks.insert(name.to_owned(), Value::from(or_away(well)));
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "checks": checks }))).into_response()
}

/// Whether a database that is being opened for reading answers in time.
async fn answers(reader: impl Future<Output = Result<Reader, database::Error>>) -> bool {
    let asked = async { reader.await?.ping().await };
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(())))
}

async fn metrics(State(parts): State<Arc<Parts>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], parts.metrics.render_metrics()).into_response()
}
