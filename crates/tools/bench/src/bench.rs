use std::path::Path;

use anyhow::Result;

use crate::load::Plan;
use crate::machine::Machine;
use crate::process::Server;
use crate::shop::Shops;

/// Orders in the shop that most rows are measured on.
pub(crate) const SMALL: usize = 10_000;

/// How everything is measured.
pub(crate) struct Bench {
    pub(crate) shops: Shops,
    pub(crate) plan: Plan,
    pub(crate) machine: Machine,
    /// Orders in the large shop.
    pub(crate) large: usize,
    /// Whether the folders of measured shops stay.
    pub(crate) keep_data: bool,
}

impl Bench {
    /// Starts a server on the shop in `folder`.
    pub(crate) async fn start(&self, folder: &Path) -> Result<Server> {
        let server = Server::start(self.shops.binary(), folder).await?;
        eprintln!("  the server is process {}", server.pid());
        Ok(server)
    }

    /// Starts a server on a shop of its own, called `name`, with so many orders.
    pub(crate) async fn copy_and_start(&self, orders: usize, name: &str) -> Result<Server> {
        self.start(&self.shops.copy(orders, name).await?).await
    }

    /// Removes what was measured under `name`, unless it is to be kept.
    pub(crate) fn done(&self, name: &str) -> Result<()> {
        if self.keep_data { Ok(()) } else { self.shops.remove(name) }
    }
}
