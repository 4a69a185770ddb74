use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Common;

/// Check the configuration.
#[derive(Args)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Read the file and the environment, and point at the first thing that is wrong.
    Check(Common),
}

impl ConfigCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Action::Check(common) = self.action;
        let config = common.load()?;
        config.validate()?;
        let services = if config.services.is_empty() { "all".to_owned() } else { config.services.join(", ") };
        println!("The configuration is sound. Services here: {services}. Data: {}.", config.data.display());
        Ok(ExitCode::SUCCESS)
    }
}
