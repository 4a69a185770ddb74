use std::ops::Deref;
use std::sync::Arc;

use contracts::{catalog, customers, payments};
use database::Database;
use kernel::{Clock, OrderId, Rng, Secret};
use mail::{Mailer, Templates};
use vault::Vault;

use crate::config::Config;

/// What everything in this service stands on. Cheap to clone, which happens at every layer a request passes.
#[derive(Clone)]
pub(crate) struct Shop(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) vault: Vault,
    pub(crate) catalog: catalog::Client,
    pub(crate) payments: payments::Client,
    pub(crate) customers: customers::Client,
    pub(crate) mailer: Mailer,
    pub(crate) templates: Arc<Templates>,
    /// Where people reach the shop, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) config: Arc<Config>,
}

/// The vault contexts under which personal data is sealed here.
pub(crate) mod sealed {
    /// Addresses, email and note of an order.
    pub(crate) const DETAILS: &str = "orders.details";
    /// What is paid with, while a checkout is under way.
    pub(crate) const METHOD: &str = "orders.payment_method";
    /// Why an order was cancelled, in the person's own words.
    pub(crate) const CANCEL_NOTE: &str = "orders.cancel_note";
}

impl Deref for Shop {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Shop {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The token with which a guest reads an order. It is worked out from the order's id with a key of the
    /// vault, so it is nowhere stored, and the same order always has the same.
    pub(crate) fn guest_token(&self, order: OrderId) -> Secret<String> {
        Secret::new(hex::encode(self.vault.blind_index("orders.guest_token", &order.to_string())))
    }
}
