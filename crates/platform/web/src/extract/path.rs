use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{Problem, code};

/// The ids in the path: `Id(order): Id<OrderId>` for one, `Id((order, line))` for several.
///
/// Any other text that names something in the path is read as an `Id<String>`. A NUL is in no name, and
/// PostgreSQL takes none in a text.
///
/// A text that is not such an id is `request.bad_id` with 404, since nothing can stand at that
/// address: the answer for a malformed id differs from that for an unknown one only in its code.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains("%00") {
            return Err(code::BAD_ID.problem("There is nothing at this address: it holds a NUL."));
        }
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            // The route has no such parameter: our fault, not the caller's.
            Err(missing @ PathRejection::MissingPathParams(_)) => Err(Problem::internal(missing)),
            Err(rejection) => {
                let detail = format!("There is nothing at this address: {}.", rejection.body_text());
                Err(code::BAD_ID.problem(detail))
            }
        }
    }
}
