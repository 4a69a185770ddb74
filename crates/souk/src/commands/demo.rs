use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Listening;
use crate::demo::{adjust, load, routes, welcome};
use crate::lifecycle::Running;
use crate::wiring::Shop;

/// Run a shop with a catalogue, customers and a real order history loaded.
#[derive(Args)]
pub(super) struct Demo {
    #[command(flatten)]
    listening: Listening,
    /// Load about so many orders of the history instead of all 69,659, and only the customers who
    /// placed them: for a quick look, or a small machine. What was loaded before stays as it is.
    #[arg(long, value_name = "NUMBER")]
    orders: Option<u32>,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = self.listening.load()?;
        if self.listening.common.data.is_none() && self.listening.common.config.is_none() {
            // A real shop's data must not get a demo mixed in by a slip of the hand.
            config.data = PathBuf::from("data/demo");
        }
        adjust(&mut config);
        let telemetry = super::start_telemetry(&config)?;
        let pages = routes(&config);
        let shop = Shop::open(config, pages).await?;
        load(&shop, self.orders).await?;
        let running = Running::start(&shop, telemetry).await?;
        println!("{}", welcome(&shop));
        running.until_signal().await?;
        Ok(ExitCode::SUCCESS)
    }
}
