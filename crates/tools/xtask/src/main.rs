#![doc = include_str!("../README.md")]

mod bench;
mod cargo;
mod ci;
mod deny;
mod install_engines;
mod licence;
mod prove;
mod regen;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::cargo::Metadata;

/// What the people who build Souk run.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The whole gate, in order; stops at the first failure.
    Ci {
        /// Leaves out what is long: engines, generated files and tests.
        #[arg(long)]
        quick: bool,
    },
    /// Checks the rules of the architecture.
    Tidy,
    /// Writes the generated files anew.
    Regen {
        /// Writes nothing, fails when a file is stale.
        #[arg(long, conflicts_with = "sign_access")]
        check: bool,
        /// Signs who may call what: the change of docs/access.txt is meant.
        #[arg(long)]
        sign_access: bool,
    },
    /// Installs the servers that tests start.
    InstallEngines,
    /// Checks the licences, the origins and the bans of what Souk stands on.
    Deny,
    /// Measures a release build and writes docs/performance.md; `bench --help` says what can be chosen.
    #[command(disable_help_flag = true)]
    Bench {
        /// Rows to measure, and options of the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Runs the proofs in full and writes what they did to docs/reliability.md.
    Prove {
        /// Only the proofs whose names begin like this, such as `crash races`; all when none is given.
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Ci { quick } => ci::run_steps(quick),
        Task::Tidy => run_tidy(),
        Task::Regen { check: true, .. } => regen::check(),
        Task::Regen { sign_access, .. } => regen::write(sign_access),
        Task::InstallEngines => install_engines::install(),
        Task::Deny => deny::check(),
        Task::Bench { arguments } => bench::measure(&arguments),
        Task::Prove { names } => prove::prove(&names),
    }
}

fn run_tidy() -> Result<()> {
    let findings = tidy::check(&Metadata::of_workspace()?.workspace_root)?;
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} breaches of the rules in crates/tools/xtask/README.md", findings.len());
    }
    println!("tidy");
    Ok(())
}
