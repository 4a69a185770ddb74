use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use contracts::CallError;
use contracts::identity::Client;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::{Clock, Fail, FailureKind, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::{Claims, Revocations, TOKEN_TYPE};
use crate::code;

/// Why an access token was not believed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// It is malformed, not signed by a key of ours, or not meant for us.
    #[error("The access token is not one that is believed here. Sign in again.")]
    Invalid,
    /// It was good and has expired.
    #[error("The access token has expired. Refresh it.")]
    Expired,
    /// Its session was ended.
    #[error("The session has ended. Sign in again.")]
    SessionEnded,
    /// The signing keys could not be read, so nothing can be said about it.
    #[error("It cannot be found out who you are at the moment. Try again shortly.")]
    Unavailable(#[source] CallError),
}

impl Fail for TokenError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Invalid | Self::Expired | Self::SessionEnded => FailureKind::Unauthenticated,
            Self::Unavailable(_) => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid => code::TOKEN_INVALID.code,
            Self::Expired => code::TOKEN_EXPIRED.code,
            Self::SessionEnded => code::SESSION_ENDED.code,
            Self::Unavailable(_) => code::SERVICE_UNAVAILABLE.code,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable(_)).then_some(Duration::from_secs(1))
    }
}

/// What a verifier insists on.
#[derive(Clone, Debug)]
pub struct VerifierOptions {
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// By how much the clocks of two machines may differ.
    pub leeway: Duration,
    /// A token with an unknown key has the keys read again at most this often.
    pub refetch_after: Duration,
    /// Keys are read again when they are older, so that a withdrawn one stops being believed.
    pub keys_max_age: Duration,
    /// How many verified tokens are remembered.
    pub remembered_tokens: u64,
}

impl VerifierOptions {
    /// Tokens issued by `issuer` for `audience`, with the usual bounds.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: Duration::from_secs(5),
            refetch_after: Duration::from_secs(2),
            keys_max_age: Duration::from_secs(60),
            remembered_tokens: 10_000,
        }
    }
}

/// Checks access tokens (JWT, EdDSA over Ed25519) with no look-up per request: keys come from
/// identity's key set, ended sessions from [`Revocations`].
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    options: VerifierOptions,
    validation: Validation,
    identity: Client,
    revocations: Revocations,
    clock: Clock,
    keys: ArcSwap<Keys>,
    /// When the keys were last asked for and how that ended; held meanwhile, so that one asks for all.
    asked: Mutex<Option<(Timestamp, Result<(), CallError>)>>,
    /// By the token's SHA-256: a token that is no longer in memory cannot be read from it.
    verified: moka::sync::Cache<[u8; 32], Arc<Verified>>,
}

type Asked<'a> = tokio::sync::MutexGuard<'a, Option<(Timestamp, Result<(), CallError>)>>;

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    read_at: Option<Timestamp>,
}

struct Verified {
    key_id: String,
    claims: Arc<Claims>,
}

/// A token longer than this is none of ours.
const MAX_TOKEN_BYTES: usize = 4_096;

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that reads keys from `identity` when it first needs them.
    pub fn new(options: VerifierOptions, identity: Client, revocations: Revocations, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&options.issuer]);
        validation.set_audience(&[&options.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The library would ask the machine's clock; `current` asks ours.
        validation.validate_exp = false;
        let verified = moka::sync::Cache::new(options.remembered_tokens);
        Self(Arc::new(Inner {
            options,
            validation,
            identity,
            revocations,
            clock,
            keys: ArcSwap::default(),
            asked: Mutex::default(),
            verified,
        }))
    }

    /// The claims of `token`, when it is to be believed.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(verified) = self.0.verified.get(&digest) {
            self.key(&verified.key_id).await?;
            self.current(&verified.claims)?;
            return Ok(Arc::clone(&verified.claims));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let ours = header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE);
        let key_id = header.kid.filter(|_| ours).ok_or(TokenError::Invalid)?;
        let key = self.key(&key_id).await?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.0.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let claims = Arc::new(claims);
        self.current(&claims)?;
        let verified = Verified { key_id, claims: Arc::clone(&claims) };
        self.0.verified.insert(digest, Arc::new(verified));
        Ok(claims)
    }

    fn current(&self, claims: &Claims) -> Result<(), TokenError> {
        let now = self.0.clock.now();
        let issued_at = Timestamp::from_seconds(claims.iat);
        if issued_at > now.plus(self.0.options.leeway) {
            return Err(TokenError::Invalid);
        }
        if Timestamp::from_seconds(claims.exp).plus(self.0.options.leeway) <= now {
            return Err(TokenError::Expired);
        }
        if self.0.revocations.refuse(claims.sid, issued_at) {
            return Err(TokenError::SessionEnded);
        }
        Ok(())
    }

    /// The key of that id, with the key set read again when it is old or does not have it.
    async fn key(&self, id: &str) -> Result<DecodingKey, TokenError> {
        let keys = self.0.keys.load();
        let fresh = keys.read_at.is_some_and(|at| self.0.clock.now().since(at) < self.0.options.keys_max_age);
        let failure = match keys.by_id.get(id) {
            Some(key) if fresh => return Ok(key.clone()),
            // Only one waits while keys are read anew; the others go on with those that there are.
            Some(_) => match self.0.asked.try_lock() {
                Ok(asked) => self.read_keys(asked).await.err(),
                Err(_) => None,
            },
            None => self.read_keys(self.0.asked.lock().await).await.err(),
        };
        match (self.0.keys.load().by_id.get(id), failure) {
            // Keys that cannot be read anew stay good: identity being away must not sign everybody out.
            (Some(key), _) => Ok(key.clone()),
            (None, Some(error)) => Err(TokenError::Unavailable(error)),
            (None, None) => Err(TokenError::Invalid),
        }
    }

    async fn read_keys(&self, mut asked: Asked<'_>) -> Result<(), CallError> {
        let now = self.0.clock.now();
        if let Some((at, outcome)) = &*asked
            && now.since(*at) < self.0.options.refetch_after
        {
            return outcome.clone();
        }
        let outcome = self.fetch_keys(now).await;
        *asked = Some((now, outcome.clone()));
        outcome.inspect_err(|error| tracing::warn!(%error, "the signing keys cannot be read"))
    }

    async fn fetch_keys(&self, now: Timestamp) -> Result<(), CallError> {
        let set = self.0.identity.key_set().await?;
        let set: JwkSet = serde_json::from_value(set).map_err(|_| CallError::Failed { status: 200 })?;
        let by_id = set.keys.iter().filter_map(|key| {
            let ed25519 = matches!(&key.algorithm,
                AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519);
            let id = key.common.key_id.clone().filter(|_| ed25519)?;
            Some((id, DecodingKey::from_jwk(key).ok()?))
        });
        self.0.keys.store(Arc::new(Keys { by_id: by_id.collect(), read_at: Some(now) }));
        Ok(())
    }
}
