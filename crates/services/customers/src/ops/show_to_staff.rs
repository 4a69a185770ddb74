use kernel::{CustomerId, Limit, Page};
use mail::Address;
use serde::Serialize;
use web::{RequestId, Role, Staff};

use crate::context::Context;
use crate::error::Error;
use crate::model::address::SavedAddress;
use crate::model::consent::Consent;
use crate::model::customer::Customer;
use crate::store::access_log::{self, Access};
use crate::store::customers::{self, Stored};

/// What somebody who may help a customer sees of them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CustomerFile {
    /// Who they are.
    #[serde(flatten)]
    pub(crate) customer: Customer,
    /// Their address book.
    pub(crate) addresses: Vec<SavedAddress>,
    /// Where they stand on each purpose.
    pub(crate) consents: Vec<Consent>,
}

/// A look-up by mail address.
pub(crate) struct Search<'a> {
    pub(crate) email: &'a Address,
    pub(crate) after: Option<CustomerId>,
    pub(crate) limit: Limit,
}

/// The role that may see customers' data.
pub(crate) const ROLE: Role = Role::Support;

impl Context {
    /// Shows a customer's file. That it was seen is on record before it is.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn show_file(
        &self,
        staff: &Staff,
        request: &RequestId,
        id: CustomerId,
    ) -> Result<CustomerFile, Error> {
        let stored = customers::find(&mut *self.database.read().await?, id).await?;
        let stored = stored.filter(|stored| !stored.erased).ok_or(Error::NotFound)?;
        self.record_access(staff, request, "customer_read", &[&stored]).await?;
        Ok(CustomerFile {
            customer: self.open_customer(&stored).await?,
            addresses: self.read_address_book(id).await?,
            consents: self.read_consents(id).await?,
        })
    }

    /// Shows the customers with a mail address. That they were seen is on record before they are.
    pub(crate) async fn find_by_email(
        &self,
        staff: &Staff,
        request: &RequestId,
        search: &Search<'_>,
    ) -> Result<Page<Customer>, Error> {
        let index = self.email_index(search.email);
        let found = {
            let mut reader = self.database.read().await?;
            customers::by_email(&mut reader, &index, search.after, search.limit.overfetch()).await?
        };
        let page = Page::from_overfetched(found, search.limit, |stored| stored.id);
        let shown: Vec<&Stored> = page.data.iter().collect();
        self.record_access(staff, request, "customer_found_by_email", &shown).await?;
        let mut data = Vec::with_capacity(page.data.len());
        for stored in &page.data {
            data.push(self.open_customer(stored).await?);
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    async fn record_access(
        &self,
        staff: &Staff,
        request: &RequestId,
        action: &str,
        seen: &[&Stored],
    ) -> Result<(), Error> {
        if seen.is_empty() {
            return Ok(());
        }
        let access = &Access {
            staff_id: staff.id,
            action: action.to_owned(),
            request_id: request.to_string(),
            accessed_at: self.now(),
        };
        self.database
            .write(|mut tx| async move {
                for stored in seen {
                    access_log::append(&mut tx, stored.id, access).await?;
                }
                Ok(tx.commit(()).await?)
            })
            .await
    }
}
