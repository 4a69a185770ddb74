use kernel::{CustomerId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::error::Error;
use crate::model::address::SavedAddress;
use crate::model::consent::Decision;
use crate::model::customer::Customer;
use crate::store::access_log::{self, Access};
use crate::store::consents;

/// Everything that the shop holds about a person.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Export {
    /// When it was put together.
    pub(crate) exported_at: Timestamp,
    /// Who they are.
    pub(crate) customer: Customer,
    /// Their address book.
    pub(crate) addresses: Vec<SavedAddress>,
    /// Every decision on what they consent to.
    pub(crate) consents: Vec<Decision>,
    /// Who of the staff saw their data.
    pub(crate) accesses: Vec<Access>,
    /// What identity holds: the account, its sessions, its audit log.
    #[schema(value_type = Object)]
    pub(crate) identity: Value,
    /// What orders holds: carts, checkouts and orders.
    #[schema(value_type = Object)]
    pub(crate) orders: Value,
    /// What payments holds: payments and refunds.
    #[schema(value_type = Object)]
    pub(crate) payments: Value,
    /// What analytics holds: raw events, until they expire.
    #[schema(value_type = Object)]
    pub(crate) analytics: Value,
    /// What feedback holds: their answers.
    #[schema(value_type = Object)]
    pub(crate) feedback: Value,
}

impl Context {
    /// Gathers everything that the shop holds about a person, from every service that holds some.
    ///
    /// # Errors
    /// [`Error::Call`] when one of them is away: an export is whole or none.
    pub(crate) async fn export(&self, id: CustomerId) -> Result<Export, Error> {
        let customer = self.read_customer(id).await?;
        let addresses = self.read_address_book(id).await?;
        let (consents, accesses) = {
            let mut reader = self.database.read().await?;
            (consents::history(&mut reader, id).await?, access_log::history(&mut reader, id).await?)
        };
        let (identity, orders, payments, analytics, feedback) = futures_util::try_join!(
            self.identity.export(id),
            self.orders.export(id),
            self.payments.export(id),
            self.analytics.export(id),
            self.feedback.export(id)
        )?;
        Ok(Export {
            exported_at: self.now(),
            customer,
            addresses,
            consents,
            accesses,
            identity,
            orders,
            payments,
            analytics,
            feedback,
        })
    }
}
