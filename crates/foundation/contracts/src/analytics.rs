//! Analytics: what people did, as it was recorded.

use kernel::CustomerId;

use crate::{CallError, Channel};

/// Calls to analytics.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Everything analytics holds about a person, for their export.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn export(&self, customer: CustomerId) -> Result<serde_json::Value, CallError> {
        self.0.get(&format!("/internal/analytics/customers/{customer}/export")).await
    }
}
