use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Listening;
use crate::demo::{load, welcome};
use crate::lifecycle::Running;
use crate::pages;
use crate::wiring::Shop;

/// Run a shop with a catalogue, customers and a real order history loaded.
#[derive(Args)]
pub(super) struct Demo {
    #[command(flatten)]
    listening: Listening,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = self.listening.load()?;
        if self.listening.common.data.is_none() && self.listening.common.config.is_none() {
            // A real shop's data must not get a demo mixed in by a slip of the hand.
            config.data = PathBuf::from("data/demo");
        }
        crate::demo::adjust(&mut config);
        let telemetry = super::start_telemetry(&config)?;
        let shop = Shop::open(config, pages::routes()).await?;
        load(&shop).await?;
        let running = Running::start(&shop, telemetry).await?;
        println!("{}", welcome(&shop));
        running.until_signal().await?;
        Ok(ExitCode::SUCCESS)
    }
}
