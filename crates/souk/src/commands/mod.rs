//! The command line: one command per file.

mod config_check;
mod dead_letters;
mod demo;
mod import;
mod migrate;
mod openapi;
mod serve;
mod staff;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::wiring::Shop;

/// The back end of a shop in one program.
#[derive(Parser)]
#[command(name = "souk", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the shop: every service, or those that are named.
    Serve(serve::Serve),
    /// Run a shop with a catalogue, customers and a real order history loaded.
    Demo(demo::Demo),
    /// Take over products, customers or orders from a file.
    Import(import::Import),
    /// Add people who work for the shop.
    Staff(staff::Staff),
    /// Bring the tables of every service up to date, and stop.
    Migrate(migrate::Migrate),
    /// List events that a service gave up on, or hand one over again.
    DeadLetters(dead_letters::DeadLetters),
    /// Check the configuration.
    Config(config_check::ConfigCommand),
    /// Print the API document.
    Openapi(openapi::Openapi),
}

/// Where the configuration is and what the command line says about it.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// The configuration file; without it everything has its default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for everything that no outside engine keeps.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Where to listen and what to run.
#[derive(Args, Clone)]
pub(crate) struct Listening {
    #[command(flatten)]
    common: Common,
    /// The services to run here, with commas; all of them when not given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    services: Vec<String>,
    /// Where to take requests.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where to tell health, readiness and metrics.
    #[arg(long, value_name = "ADDRESS")]
    ops_listen: Option<String>,
}

impl Common {
    #[allow(clippy::disallowed_methods)] // The one place where the environment is read.
    fn load(&self) -> anyhow::Result<Config> {
        let environment: Vec<(String, String)> = std::env::vars().collect();
        let mut config = Config::load(self.config.as_deref(), &environment).context("configuration")?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        Ok(config)
    }
}

impl Listening {
    fn load(&self) -> anyhow::Result<Config> {
        let mut config = self.common.load()?;
        if !self.services.is_empty() {
            config.services.clone_from(&self.services);
        }
        if let Some(listen) = &self.listen {
            config.listen.clone_from(listen);
        }
        if let Some(listen) = &self.ops_listen {
            config.ops_listen.clone_from(listen);
        }
        Ok(config)
    }
}

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Demo(demo) => Box::pin(demo.run()).await,
        Command::Import(import) => Box::pin(import.run()).await,
        Command::Staff(staff) => staff.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::DeadLetters(letters) => letters.run().await,
        Command::Config(config) => config.run(),
        Command::Openapi(openapi) => openapi.run(),
    }
}

/// Logs for a command that serves.
fn start_telemetry(config: &Config) -> anyhow::Result<Arc<telemetry::Guard>> {
    Ok(Arc::new(telemetry::Telemetry::init(&config.telemetry).context("telemetry cannot start")?))
}

/// The shop of a command that works on data and serves nothing: every service, in this process.
async fn open_quietly(common: &Common) -> anyhow::Result<Shop> {
    let mut config = common.load()?;
    config.services.clear();
    Box::pin(Shop::open(config, Router::new())).await
}
