//! The ways to payment providers: one interface, and a folder for each provider behind it.
//!
//! A provider that lacks an operation says [`ConnectorError::Unsupported`] in so many words: no method
//! has a body here, so that nothing can seem to succeed because somebody forgot it.

mod request;
pub(crate) mod sandbox;
pub(crate) mod signature;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::{PaymentId, Timestamp};

pub(crate) use request::{Authorize, Capture, RefundPayment, Void};
pub(crate) use webhook::{Notification, Subject, WebhookError};

use crate::error::Error;
use crate::model::{RefundSnapshot, Snapshot};

/// A call to a provider. It ends within [`Connector::timeout`].
pub(crate) type Call<'a, T> = BoxFuture<'a, Result<T, ConnectorError>>;

/// One payment provider. Amounts are minor units with their currency; secrets are masked.
pub(crate) trait Connector: Send + Sync + 'static {
    /// Its name in addresses, tables and configuration.
    fn name(&self) -> &'static str;

    /// The longest that a call takes.
    fn timeout(&self) -> Duration;

    /// How long after a call began it may still take effect at the provider. After that, what the
    /// provider does not know of has not happened.
    fn settles_within(&self) -> Duration;

    /// Sets money aside. A decline is an answer, not an error.
    fn authorize<'a>(&'a self, request: &'a Authorize) -> Call<'a, Snapshot>;

    /// Takes money that is set aside, all or a part; the rest is let go.
    fn capture<'a>(&'a self, request: &'a Capture) -> Call<'a, Snapshot>;

    /// Lets go of money that is set aside, or ends what the person was asked.
    fn void<'a>(&'a self, request: &'a Void) -> Call<'a, Snapshot>;

    /// Gives money back.
    fn refund<'a>(&'a self, request: &'a RefundPayment) -> Call<'a, RefundSnapshot>;

    /// Where a payment and all its refunds stand, asked for by our own id; `None` when the provider
    /// has never heard of it.
    fn fetch(&self, payment: PaymentId) -> Call<'_, Option<Snapshot>>;

    /// Whether the provider signed `body`, within five minutes of `now`, with any secret that is
    /// valid at the moment.
    fn verify_webhook<'a>(
        &'a self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), WebhookError>>;

    /// What a notification says, in our terms.
    fn parse_webhook(&self, body: &[u8]) -> Result<Notification, WebhookError>;
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectorError {
    /// The provider said no, and has done nothing. The reason is one of [`crate::model::decline`].
    #[error("the provider refused: {reason}")]
    Refused { reason: &'static str, provider_reason: Option<String> },
    /// It was never sent, so nothing has happened.
    #[error("the provider cannot be reached")]
    NotSent,
    /// It was sent, and whether it happened is not known: no answer in time, a 5xx, nonsense.
    #[error("the provider did not answer: {0}")]
    Lost(&'static str),
    /// The provider has no such operation.
    #[error("the provider has no such operation")]
    #[allow(dead_code, reason = "the sandbox has every operation; providers that lack one say so with it")]
    Unsupported,
}

/// The providers that are set up.
#[derive(Clone, Default)]
pub(crate) struct Connectors(Arc<[Arc<dyn Connector>]>);

impl Connectors {
    /// `all`, the first of which takes new payments.
    pub(crate) fn new(all: impl IntoIterator<Item = Arc<dyn Connector>>) -> Self {
        Self(all.into_iter().collect())
    }

    /// The one that takes new payments.
    pub(crate) fn preferred(&self) -> Result<&dyn Connector, Error> {
        self.0.first().map(|connector| &**connector).ok_or(Error::NoProvider)
    }

    /// The one with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&dyn Connector> {
        self.0.iter().map(|connector| &**connector).find(|connector| connector.name() == name)
    }
}
