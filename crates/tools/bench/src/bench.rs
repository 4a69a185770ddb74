use std::time::Duration;

use anyhow::Result;

use crate::load::Plan;
use crate::process::Server;
use crate::rows;
use crate::shop::Shops;

/// Orders in the shop that most rows are measured on.
pub(crate) const SMALL: usize = 10_000;

/// How everything is measured.
pub(crate) struct Bench {
    pub(crate) shops: Shops,
    pub(crate) plan: Plan,
    pub(crate) keep_data: bool,
}

impl Bench {
    pub(crate) fn plan(&self) -> Plan {
        self.plan
    }

    pub(crate) async fn checkout(&self) -> Result<()> {
        let folder = self.shops.copy(SMALL, "checkout").await?;
        let server = Server::start(self.shops.binary(), &folder).await?;
        eprintln!("  the server is process {}", server.pid());
        let measured = rows::checkout::load(self, &server).await?;
        eprintln!("{:?} {:?}", measured.rate(), measured.server_cpu());
        eprintln!(
            "p50 {:?} p99 {:?}",
            Duration::from_micros(measured.latency.value_at_quantile(0.5)),
            Duration::from_micros(measured.latency.value_at_quantile(0.99))
        );
        server.stop().await
    }
}
