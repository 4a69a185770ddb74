use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::Semaphore;

use super::{Observer, arrive, catch_panic, conditional, limit_time, observe, shed};
use crate::{Problem, code};

/// The bounds of [`standard`].
#[derive(Clone, Debug)]
pub struct Standard {
    /// Ids, traces and addresses.
    pub observer: Observer,
    /// Until an answer must have begun.
    pub timeout: Duration,
    /// The most bytes of a body; a route that takes more says so with a `DefaultBodyLimit` of its own.
    pub body_limit: usize,
    /// The most requests that are worked on at once.
    pub max_in_flight: usize,
}

impl Standard {
    /// The usual bounds: 30 seconds, 1 MiB, 1,024 requests.
    pub fn new(observer: Observer) -> Self {
        Self { observer, timeout: Duration::from_secs(30), body_limit: 1024 * 1024, max_in_flight: 1_024 }
    }
}

/// `router` as it meets the world: observed, bounded, never without a problem document. Whatever
/// has its own rule (authentication, CORS, rate limits) is layered onto `router` before.
pub fn standard(router: Router, standard: Standard) -> Router {
    bounded(answering(router), standard)
}

/// `router` with a problem document for every address and method that it does not have. What is layered onto
/// it afterwards, such as a rate limit, holds there too.
pub fn answering(router: Router) -> Router {
    router.fallback(async || no_such_address()).method_not_allowed_fallback(async || no_such_method())
}

/// `router`, which has an answer for every address, observed and bounded.
pub fn bounded(router: Router, standard: Standard) -> Router {
    let places = Arc::new(Semaphore::new(standard.max_in_flight));
    router
        .layer(from_fn(conditional))
        .layer(from_fn(arrive))
        .layer(DefaultBodyLimit::max(standard.body_limit))
        .layer(from_fn_with_state(standard.timeout, limit_time))
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(places, shed))
        .layer(from_fn_with_state(standard.observer, observe))
}

pub(crate) fn no_such_address() -> Problem {
    code::NOT_FOUND.problem("There is nothing at this address. The API document at /docs lists all of them.")
}

fn no_such_method() -> Problem {
    code::METHOD_NOT_ALLOWED
        .problem("The address exists but does not answer to this method; `Allow` lists those that it does.")
}
