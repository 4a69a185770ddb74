use std::process::ExitCode;

use clap::Args;

use super::Listening;
use crate::lifecycle::Running;
use crate::pages;
use crate::wiring::Shop;

/// Run the shop: every service, or those that are named.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    listening: Listening,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.listening.load()?;
        let telemetry = super::start_telemetry(&config)?;
        let shop = Shop::open(config, pages::routes()).await?;
        let running = Running::start(&shop, telemetry).await?;
        tracing::info!(listen = shop.config.listen, ops = shop.config.ops_listen, "serving");
        running.until_signal().await?;
        Ok(ExitCode::SUCCESS)
    }
}
