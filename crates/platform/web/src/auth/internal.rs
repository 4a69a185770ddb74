use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Clock, Secret};
use serde::{Deserialize, Serialize};

use super::{TokenError, position};
use crate::{Problem, code};

/// The header field that carries the calling service's token.
pub const INTERNAL_TOKEN: &str = "souk-internal-token";

const TYPE: &str = "souk-internal+jwt";
const LIFETIME: Duration = Duration::from_secs(30);
const LEEWAY_SECONDS: i64 = 5;

/// Another service of the shop; as an extractor it refuses everybody else. It cannot be forged
/// from outside: in one process the channel puts it there, across processes a signed token does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internal {
    /// Which service.
    pub service: String,
}

#[derive(Serialize, Deserialize)]
struct CallClaims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Signs and checks the tokens that services call each other with: JWTs of seconds under HMAC-SHA256
/// with a key that every process derives from the master key.
#[derive(Clone)]
pub struct InternalTokens {
    signing: EncodingKey,
    checking: DecodingKey,
    clock: Clock,
}

impl std::fmt::Debug for InternalTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InternalTokens")
    }
}

impl InternalTokens {
    /// Tokens under `key`: `vault.derive("internal-call")`.
    pub fn new(key: &Secret<[u8; 32]>, clock: Clock) -> Self {
        Self {
            signing: EncodingKey::from_secret(key.expose()),
            checking: DecodingKey::from_secret(key.expose()),
            clock,
        }
    }

    /// A token with which the service `from` calls `to`, good for half a minute.
    ///
    /// # Errors
    /// When the library cannot sign, which it can.
    pub fn sign(&self, from: &str, to: &str) -> Result<String, jsonwebtoken::errors::Error> {
        let iat = self.clock.now().as_seconds();
        let exp = self.clock.now().plus(LIFETIME).as_seconds();
        let claims = CallClaims { iss: from.to_owned(), aud: to.to_owned(), iat, exp };
        let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &self.signing)
    }

    /// The service that calls `to` with `token`.
    ///
    /// # Errors
    /// When the token is not one of ours, is for another service, or is too old.
    pub fn check(&self, token: &str, to: &str) -> Result<Internal, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[to]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        // The library would ask the machine's clock; ours is checked below.
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<CallClaims>(token, &self.checking, &validation)
            .map_err(|_| TokenError::Invalid)?;
        let (claims, now) = (token.claims, self.clock.now().as_seconds());
        if token.header.typ.as_deref() != Some(TYPE) || claims.iat > now + LEEWAY_SECONDS {
            return Err(TokenError::Invalid);
        }
        if claims.exp + LEEWAY_SECONDS <= now {
            return Err(TokenError::Expired);
        }
        Ok(Internal { service: claims.iss })
    }
}

/// Lets only other services through to `router`, the internal routes of `service`.
pub fn internal_layer(router: Router, tokens: InternalTokens, service: &'static str) -> Router {
    router.layer(middleware::from_fn_with_state((tokens, service), only_services))
}

async fn only_services(
    State((tokens, service)): State<(InternalTokens, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    // In one process the caller's own scope goes on.
    if request.extensions().get::<Internal>().is_some() {
        return next.run(request).await;
    }
    let Some(token) = request.headers().get(INTERNAL_TOKEN).and_then(|value| value.to_str().ok()) else {
        return missing().into_response();
    };
    match tokens.check(token, service) {
        Ok(internal) => {
            let key = format!("service:{}", internal.service);
            request.extensions_mut().insert(internal);
            position::scoped(key, request, next).await
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

fn missing() -> Problem {
    code::AUTH_MISSING.problem("Only services of the shop may call this.")
}

impl<S: Send + Sync> FromRequestParts<S> for Internal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;

    fn tokens(key: u8, clock: &Clock) -> InternalTokens {
        InternalTokens::new(&Secret::new([key; 32]), clock.clone())
    }

    #[test]
    fn a_token_is_for_one_service_and_half_a_minute() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
        let ours = tokens(1, &clock);
        let token = ours.sign("orders", "catalog").unwrap();
        assert_eq!(ours.check(&token, "catalog").unwrap().service, "orders");
        assert!(matches!(ours.check(&token, "payments"), Err(TokenError::Invalid)));
        assert!(matches!(tokens(2, &clock).check(&token, "catalog"), Err(TokenError::Invalid)));
        clock.advance(Duration::from_secs(34));
        assert!(ours.check(&token, "catalog").is_ok(), "clocks may differ by a few seconds");
        clock.advance(Duration::from_secs(1));
        assert!(matches!(ours.check(&token, "catalog"), Err(TokenError::Expired)));
    }

    #[test]
    fn another_kind_of_token_under_the_same_key_is_refused() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
        let ours = tokens(1, &clock);
        let claims = CallClaims { iss: "a".into(), aud: "b".into(), iat: 1_000_000, exp: 1_000_010 };
        for header in [Header::new(Algorithm::HS256), Header::new(Algorithm::HS384)] {
            let token = jsonwebtoken::encode(&header, &claims, &ours.signing).unwrap();
            assert!(matches!(ours.check(&token, "b"), Err(TokenError::Invalid)));
        }
    }
}
