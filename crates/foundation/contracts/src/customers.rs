//! Customers: the person behind the orders.

use kernel::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel};

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The recipient, up to 200 characters.
    pub name: String,
    /// Street and number, up to 200 characters.
    pub line1: String,
    /// More of the street, up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// The town, up to 100 characters.
    pub city: String,
    /// State, province or county, up to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The postal code, up to 20 characters; some countries have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    #[schema(pattern = "^[A-Z]{2}$", examples("DE"))]
    pub country: String,
}

/// A customer said yes or no to one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentChanged {
    /// Who.
    pub customer_id: CustomerId,
    /// To what: `marketing_email`, `analytics`, …
    pub purpose: String,
    /// Yes or no.
    pub granted: bool,
}
event!(ConsentChanged, "customers.consent_changed.v1", customer_id);

/// A person was erased: their key is gone, and every service forgets what only they need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerErased {
    /// Who they were.
    pub customer_id: CustomerId,
}
event!(CustomerErased, "customers.customer_erased.v1", customer_id);

/// How to write to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Their address for mail.
    pub email: String,
    /// Their name, when they gave one.
    pub name: Option<String>,
    /// Their language, BCP 47.
    pub locale: String,
}

/// Calls to customers.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// How to write to a customer; refused with `customers.not_found` when there is none.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn contact(&self, customer: CustomerId) -> Result<Contact, CallError> {
        self.0.get(&format!("/internal/customers/{customer}/contact")).await
    }
}

/// A customer to take over from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportCustomer {
    /// The customer id it gets; the importer derives it from `external_id` so that it is stable.
    pub customer_id: CustomerId,
    /// What the old system called them.
    pub external_id: String,
    /// Their address for mail.
    pub email: String,
    /// Their name.
    #[serde(default)]
    pub name: Option<String>,
    /// Their telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Their language, BCP 47.
    #[serde(default)]
    pub locale: Option<String>,
    /// Where things are sent to, the default first.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Purposes they agreed to.
    #[serde(default)]
    pub consents: Vec<String>,
    /// Since when they are a customer.
    pub created_at: Timestamp,
}
