use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequestParts, OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use database::idempotency::{self, Begin, StoredResponse};
use database::{Database, Tx};
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::extract::{IdempotencyKey, read_body};
use crate::once_key::OnceKey;
use crate::{Handled, Problem, code};

/// The field that marks an answer as one that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// For how long the first answer is kept.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How often to try to free a key while the database is away.
const FREE_AGAIN: Duration = Duration::from_millis(500);

/// The fields of an answer that are kept with it.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// A body together with the means to do what it asks for once, however often it is sent.
///
/// Done in one transaction, the key is claimed, the work done and the answer kept in that very
/// transaction: all of it stands or none of it, and a refusal leaves the key free.
///
/// The answer is kept sealed with the request itself: it lies nowhere in the clear, and opens only for
/// whoever sends the same request under the same key.
///
/// ```
/// # use axum::{Json, extract::State, response::Response};
/// # use database::Database;
/// # use web::{Created, Customer, Handled, Idempotent, ValidJson, Validate};
/// # #[derive(serde::Deserialize)] struct NewAddress {}
/// # impl Validate for NewAddress {}
/// # async fn add_address(_: &mut database::Tx, _: &NewAddress) -> Result<u32, database::Error> { Ok(1) }
/// async fn create(
///     State(database): State<Database>,
///     customer: Customer,
///     Idempotent(once, ValidJson(body)): Idempotent<ValidJson<NewAddress>>,
/// ) -> Handled<Response> {
///     let body = &body;
///     once.run(&database, &customer.id.to_string(), |mut tx| async move {
///         let number = add_address(&mut tx, body).await?;
///         Ok((tx, Created { location: format!("/v1/customers/me/addresses/{number}"), body: Json(number) }))
///     })
///     .await
/// }
/// ```
///
/// Work of several steps begins in its first transaction with [`Once::begin`] and ends with
/// [`Once::finish`]; until then the same request is answered `idempotency.in_flight`.
#[derive(Clone, Debug)]
pub struct Idempotent<B>(pub Once, pub B);

/// An extractor for requests whose body means nothing: `Idempotent<NoBody>`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBody;

/// The key of a request, when it has one, and what tells it from other requests.
#[derive(Clone, Debug)]
pub struct Once {
    key: Option<IdempotencyKey>,
    request: [u8; 32],
}

impl<S: Send + Sync, B: FromRequest<S, Rejection = Problem>> FromRequest<S> for Idempotent<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let key =
            <IdempotencyKey as OptionalFromRequestParts<S>>::from_request_parts(&mut parts, state).await?;
        let body = read_body(Request::from_parts(parts.clone(), body), state).await?;
        let request = hash(&parts, &body);
        let body = B::from_request(Request::from_parts(parts, Body::from(body)), state).await?;
        Ok(Self(Once { key, request }, body))
    }
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(_: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self)
    }
}

/// SHA-256 over method, path with query, and body.
fn hash(parts: &http::request::Parts, body: &Bytes) -> [u8; 32] {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut hash = Sha256::new();
    // Neither a method nor a path can hold a line feed, so no two requests run together.
    hash.update(parts.method.as_str());
    hash.update(b"\n");
    hash.update(path);
    hash.update(b"\n");
    hash.update(body);
    hash.finalize().into()
}

impl Once {
    /// The key, when the request has one.
    pub fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }

    /// Does `work` in one transaction and answers with what it returns; or answers as the first
    /// time, when `caller` sent the same request before. `work` may run several times and gives
    /// the transaction back for the commit. Without a key it is simply done.
    ///
    /// # Errors
    /// What `work` returns, with nothing changed; `idempotency.key_reused`, `idempotency.in_flight`.
    pub async fn run<R, F, Fut>(&self, database: &Database, caller: &str, work: F) -> Handled<Response>
    where
        R: IntoResponse,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Handled<(Tx, R)>>,
    {
        let work = &work;
        let (again, answer) = database
            .write(|mut tx| async move {
                if let Some(before) = self.claim(&mut tx, caller).await? {
                    return Ok::<_, Problem>(tx.rollback((true, before)).await?);
                }
                let (mut tx, answer) = work(tx).await?;
                let answer = keep(answer.into_response()).await?;
                if let Some(key) = self.key_of(caller) {
                    finish(&mut tx, caller, &key, &answer).await?;
                }
                Ok(tx.commit((false, answer)).await?)
            })
            .await?;
        Ok(give(answer, again))
    }

    /// Claims the key in the transaction of the first durable step. `Some` is the answer that was
    /// given before: roll back and give it.
    ///
    /// # Errors
    /// `idempotency.key_reused` and `idempotency.in_flight`; what the database says.
    pub async fn begin(&self, tx: &mut Tx, caller: &str) -> Handled<Option<Response>> {
        Ok(self.claim(tx, caller).await?.map(|before| give(before, true)))
    }

    /// Keeps the answer of work that began with [`begin`](Self::begin) and gives it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn finish(
        &self,
        database: &Database,
        caller: &str,
        answer: impl IntoResponse,
    ) -> Handled<Response> {
        let answer = keep(answer.into_response()).await?;
        if let Some(key) = self.key_of(caller) {
            let (key, answer) = (&key, &answer);
            database
                .write(|mut tx| async move {
                    finish(&mut tx, caller, key, answer).await?;
                    Ok::<_, Problem>(tx.commit(()).await?)
                })
                .await?;
        }
        Ok(give(answer, false))
    }

    /// Frees the key of work that failed in a way that a repetition may survive. While the database is away, that
    /// is tried on in the background for as long as the key would be held.
    pub async fn abandon(&self, database: &Database, caller: &str) {
        let Some(key) = self.key_of(caller) else { return };
        if free(database, caller, &key.name).await.is_ok() {
            return;
        }
        let (database, caller) = (database.clone(), caller.to_owned());
        tokio::spawn(tokio::time::timeout(idempotency::WORKING_FOR, async move {
            while free(&database, &caller, &key.name).await.is_err() {
                tokio::time::sleep(FREE_AGAIN).await;
            }
        }));
    }

    fn key_of(&self, caller: &str) -> Option<OnceKey> {
        Some(OnceKey::new(caller, self.key.as_ref()?.as_str(), &self.request))
    }

    async fn claim(&self, tx: &mut Tx, caller: &str) -> Handled<Option<StoredResponse>> {
        let Some(key) = self.key_of(caller) else { return Ok(None) };
        let now = tx.database().clock().now();
        match idempotency::begin(tx, caller, &key.name, &key.fingerprint, now, KEEP).await? {
            Begin::New => Ok(None),
            Begin::Replay(before) => {
                let body = key.open(&before.body).ok_or_else(unsealable)?;
                Ok(Some(StoredResponse { body, ..before }))
            }
            Begin::Mismatch => Err(code::KEY_REUSED.problem(
                "This `Idempotency-Key` was sent with another request. Use a new key for a new request.",
            )),
            Begin::InFlight => Err(code::KEY_IN_FLIGHT
                .problem(
                    "The first request with this `Idempotency-Key` has not ended yet. Ask again shortly.",
                )
                .with_retry_after(Duration::from_secs(1))),
        }
    }
}

async fn free(database: &Database, caller: &str, name: &str) -> Result<(), database::Error> {
    database
        .write(|mut tx| async move {
            idempotency::abandon(&mut tx, caller, name).await?;
            tx.commit(()).await
        })
        .await
}

/// Keeps an answer, sealed.
async fn finish(tx: &mut Tx, caller: &str, key: &OnceKey, answer: &StoredResponse) -> Handled<()> {
    let body = key.seal(&answer.body, tx.database().rng()).ok_or_else(unsealable)?;
    let sealed = StoredResponse { status: answer.status, headers: answer.headers.clone(), body };
    Ok(idempotency::finish(tx, caller, &key.name, &sealed).await?)
}

fn unsealable() -> Problem {
    Problem::internal("an answer kept for an idempotency key cannot be sealed or opened")
}

/// An answer read whole.
async fn keep(response: Response) -> Handled<StoredResponse> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(Problem::internal)?;
    let headers = KEPT.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    Ok(StoredResponse { status: parts.status.as_u16(), headers: headers.collect(), body: body.into() })
}

/// A kept answer as it is given, for the first time or again.
fn give(kept: StoredResponse, again: bool) -> Response {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    if again {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
