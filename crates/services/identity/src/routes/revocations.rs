use axum::Json;
use axum::extract::State;
use contracts::identity::Revocation;
use web::{Handled, Internal};

use crate::context::Context;
use crate::store::sessions;

/// Every session of which an unexpired access token must be refused, for nodes that may have missed
/// an announcement.
pub(crate) async fn revocations(
    _: Internal,
    State(context): State<Context>,
) -> Handled<Json<Vec<Revocation>>> {
    let mut reader = context.database.read_primary().await?;
    let lifetime = context.config.access_token();
    Ok(Json(sessions::revocations(&mut reader, context.now(), lifetime).await?))
}
