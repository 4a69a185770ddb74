use std::process::ExitCode;

use clap::Args;

use super::Common;

/// Bring the tables of every service up to date, and stop.
#[derive(Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    common: Common,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        // Opening a service runs its migrations; the bus brings its own.
        let shop = super::open_quietly(&self.common).await?;
        for database in &shop.databases {
            database.migrate("bus", bus::MIGRATIONS).await?;
            println!("{}: up to date", database.name());
        }
        Ok(ExitCode::SUCCESS)
    }
}
