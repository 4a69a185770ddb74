use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::{Extensions, HeaderMap, header};

use super::{Caller, TokenError, Verifier, position};
use crate::ClientAddress;

/// Finds out who calls `router`'s routes: the bearer token (RFC 6750) is checked and the
/// [`Caller`] put into the request, unless a layer further out in this process did so already.
///
/// A bad token is not refused here but by the extractors: an endpoint that asks for nobody, such
/// as the one that refreshes tokens, works with an expired one in the request.
pub fn layer(router: Router, verifier: Verifier) -> Router {
    router.layer(middleware::from_fn_with_state(verifier, identify))
}

async fn identify(State(verifier): State<Verifier>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let known = extensions.get::<Caller>().is_some() || extensions.get::<TokenError>().is_some();
    if !known {
        match caller(&verifier, request.headers()).await {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
            }
            Err(error) => {
                request.extensions_mut().insert(error);
            }
        }
    }
    let key = caller_key(request.extensions());
    position::scoped(key, request, next).await
}

/// What tells callers apart for reading their own writes; the unknown by their address.
fn caller_key(extensions: &Extensions) -> String {
    extensions.get::<Caller>().and_then(Caller::key).unwrap_or_else(|| {
        extensions
            .get::<ClientAddress>()
            .map_or_else(String::new, |ClientAddress(address)| address.to_string())
    })
}

async fn caller(verifier: &Verifier, headers: &HeaderMap) -> Result<Caller, TokenError> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let Some(field) = fields.next() else { return Ok(Caller::Anonymous) };
    let credentials = field.to_str().map_err(|_| TokenError::Invalid)?;
    let token = match credentials.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(TokenError::Invalid),
    };
    if fields.next().is_some() {
        return Err(TokenError::Invalid);
    }
    Caller::from_claims(&*verifier.verify(token).await?)
}
