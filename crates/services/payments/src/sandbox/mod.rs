//! The sandbox: a payment provider that moves no money. It stands where Stripe or Adyen would: with its
//! own tables, its own addresses, and notifications that it signs and sends. The shop reaches it only
//! through its connector, and it reaches the shop only through `/webhooks/sandbox`.
//!
//! What a payment does is said by its token; see [`token::Token`].

mod api;
mod challenge;
mod notify;
mod pages;
mod payment;
mod routes;
mod store;
mod token;

use contracts::Channel;
use database::Database;
use host::Worker;
use kernel::Secret;

use crate::config::SandboxConfig;

pub(crate) use pages::Pages;
pub(crate) use routes::provider;

/// The provider itself.
#[derive(Clone)]
pub(crate) struct Sandbox {
    database: Database,
    config: SandboxConfig,
    /// Where its pages are reached, without a slash at the end.
    public_url: String,
    /// What it signs notifications with.
    secret: Secret<Vec<u8>>,
}

impl Sandbox {
    /// A provider in `database`, whose pages are below `public_url`, and that signs with `secret`.
    pub(crate) fn new(
        database: Database,
        config: SandboxConfig,
        public_url: String,
        secret: Secret<Vec<u8>>,
    ) -> Self {
        Self { database, config, public_url, secret }
    }

    /// What it does by itself: sends its notifications through `merchant`, and takes back what its
    /// tokens say is taken back.
    pub(crate) fn workers(&self, merchant: &Channel) -> Vec<Worker> {
        notify::workers(self, merchant)
    }
}
