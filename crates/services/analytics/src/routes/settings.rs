//! `GET /v1/projects/{write_key}/settings`

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use web::{Handled, Id, code};

use super::request::unknown_write_key;
use crate::error;
use crate::service;

web::errors!(Errors: error::UNKNOWN_WRITE_KEY, code::BAD_ID);

/// What Segment's browser library asks for before it sends
///
/// Names this shop as the place to send to, and no other integration.
#[utoipa::path(
    get, path = "/v1/projects/{write_key}/settings", tag = "analytics", operation_id = "get_analytics_settings",
    params(("write_key" = String, Path, description = "The key of the source.")),
    responses((status = 200, description = "The settings.", body = Value), Errors),
    security(()),
)]
pub(super) async fn handler(
    State(state): State<service::State>,
    Id(write_key): Id<String>,
) -> Handled<Json<Value>> {
    state.sources.find(&write_key).ok_or_else(unknown_write_key)?;
    let (protocol, host) = state.public_url.split_once("://").unwrap_or(("https", &state.public_url));
    let everything = json!({"__default": {"enabled": true, "integrations": {}}});
    Ok(Json(json!({
        "integrations": {"Segment.io": {
            "apiKey": write_key, "apiHost": format!("{host}/v1"), "protocol": protocol,
            "addBundledMetadata": true, "unbundledIntegrations": [], "maybeBundledConfigIds": {},
        }},
        "plan": {"track": everything, "identify": everything, "group": everything},
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    })))
}
