//! Which service takes which records.

use std::sync::Arc;

use anyhow::Context as _;
use contracts::catalog::ImportProduct;
use contracts::identity::ImportAccount;
use contracts::import::{Mode, Verdict};
use kernel::CustomerId;

use super::format::{ImportPerson, ImportPurchase};
use super::{Take, customer_id};
use crate::services::Services;

const ELSEWHERE: &str = "the service does not run here";

/// Products go to catalog.
pub(crate) struct Products {
    catalog: Arc<catalog::Service>,
    mode: Mode,
}

impl Products {
    pub(crate) fn new(services: Services, mode: Mode) -> anyhow::Result<Self> {
        Ok(Self { catalog: services.catalog.context(ELSEWHERE)?, mode })
    }
}

impl Take<ImportProduct> for Products {
    async fn take(&self, batch: Vec<ImportProduct>) -> anyhow::Result<Vec<Verdict>> {
        Ok(self.catalog.import_products(batch, self.mode).await?)
    }
}

/// A person's account goes to identity, the rest to customers.
pub(crate) struct People {
    identity: Arc<identity::Service>,
    customers: Arc<customers::Service>,
    mode: Mode,
}

impl People {
    pub(crate) fn new(services: Services, mode: Mode) -> anyhow::Result<Self> {
        Ok(Self {
            identity: services.identity.context(ELSEWHERE)?,
            customers: services.customers.context(ELSEWHERE)?,
            mode,
        })
    }
}

impl Take<ImportPerson> for People {
    async fn take(&self, batch: Vec<ImportPerson>) -> anyhow::Result<Vec<Verdict>> {
        let (accounts, customers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|person| (person.account, person.customer)).unzip();
        let accounts = self.identity.import_accounts(accounts, self.mode).await?;
        // Somebody whose account is refused is not made a customer.
        let taken = customers
            .into_iter()
            .zip(&accounts)
            .filter(|(_, verdict)| !matches!(verdict, Verdict::Refused { .. }))
            .map(|(customer, _)| customer)
            .collect();
        let mut customers = self.customers.import_customers(taken, self.mode).await?.into_iter();
        accounts
            .into_iter()
            .map(|account| match account {
                refused @ Verdict::Refused { .. } => Ok(refused),
                account => {
                    let customer = customers.next().context("customers answered for too few records")?;
                    Ok(stronger(account, customer))
                }
            })
            .collect()
    }
}

/// What became of a record that two services took a part of.
fn stronger(first: Verdict, second: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Unchanged => 0,
        Verdict::Updated => 1,
        Verdict::Created => 2,
        Verdict::Refused { .. } => 3,
    };
    if rank(&second) > rank(&first) { second } else { first }
}

/// Orders go to orders; buyers who are known by their address only are looked up, or made, first.
pub(crate) struct Purchases {
    identity: Arc<identity::Service>,
    orders: Arc<orders::Service>,
    mode: Mode,
}

impl Purchases {
    pub(crate) fn new(services: Services, mode: Mode) -> anyhow::Result<Self> {
        Ok(Self {
            identity: services.identity.context(ELSEWHERE)?,
            orders: services.orders.context(ELSEWHERE)?,
            mode,
        })
    }

    /// The customer of each address, made without a password when there is none: whoever proves
    /// that the address is theirs later finds their history.
    async fn buyers(&self, batch: &[ImportPurchase]) -> anyhow::Result<Vec<Option<CustomerId>>> {
        let emails: Vec<String> = batch.iter().filter_map(|purchase| purchase.buyer_email.clone()).collect();
        let known = self.identity.accounts_by_email(&emails).await?;
        let missing: Vec<ImportAccount> = batch
            .iter()
            .filter_map(|purchase| purchase.buyer_email.as_ref().map(|email| (email, purchase)))
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|((email, purchase), _)| ImportAccount {
                customer_id: customer_id(email),
                email: email.clone(),
                verified: false,
                password_hash: None,
                created_at: purchase.order.placed_at,
            })
            .collect();
        if !missing.is_empty() {
            self.identity.import_accounts(missing, self.mode).await?;
        }
        let mut known = known.into_iter();
        Ok(batch
            .iter()
            .map(|purchase| match &purchase.buyer_email {
                Some(email) => Some(known.next().flatten().unwrap_or_else(|| customer_id(email))),
                None => purchase.order.customer_id,
            })
            .collect())
    }
}

impl Take<ImportPurchase> for Purchases {
    async fn take(&self, batch: Vec<ImportPurchase>) -> anyhow::Result<Vec<Verdict>> {
        let buyers = self.buyers(&batch).await?;
        let mut orders = Vec::with_capacity(batch.len());
        for (purchase, customer_id) in batch.into_iter().zip(buyers) {
            orders.push(contracts::orders::ImportOrder { customer_id, ..purchase.order });
        }
        Ok(self.orders.import_orders(orders, self.mode).await?)
    }
}
