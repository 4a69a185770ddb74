#![doc = include_str!("../README.md")]
#![allow(clippy::float_arithmetic, reason = "rates and shares are not money")]

mod bench;
mod limits;
mod load;
mod machine;
mod process;
mod report;
mod rows;
mod session;
mod shop;
mod table;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum as _};

use crate::bench::Bench;
use crate::load::Plan;
use crate::machine::Machine;
use crate::rows::Subject;
use crate::shop::Shops;

/// Measures a Souk server and the machine it runs on.
#[derive(Parser)]
struct Arguments {
    /// The rows to measure; all of them when none is named.
    rows: Vec<Subject>,
    /// The program to measure.
    #[arg(long, value_name = "PATH")]
    server: PathBuf,
    /// Where shops are made and kept.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: PathBuf,
    /// The page to write when every row was measured, and none in short.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Seconds of one run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Runs of each row; the table shows their median.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Orders in the large shop.
    #[arg(long, default_value_t = 1_000_000)]
    large: usize,
    /// One short run of each row, for a first look.
    #[arg(long)]
    quick: bool,
    /// Leave the folders of the measured shops where they are.
    #[arg(long)]
    keep_data: bool,
}

/// How long the clients work before anything counts.
const WARM_UP: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let shops = Shops::open(&arguments.server, &arguments.work)?;
    let (seconds, runs) = if arguments.quick { (2, 1) } else { (arguments.seconds, arguments.runs) };
    let plan = Plan { warm_up: WARM_UP, run: Duration::from_secs(seconds), runs };
    let machine = Machine::look(&arguments.work)?;
    let bench = Bench { shops, plan, machine, large: arguments.large, keep_data: arguments.keep_data };
    let all = Subject::value_variants();
    let subjects = if arguments.rows.is_empty() { all } else { &arguments.rows };
    let mut rows = Vec::new();
    for subject in subjects {
        rows.extend(subject.measure(&bench).await?);
    }
    let table = table::render(&rows);
    println!("{}\n\n{table}", bench.machine.describe());
    match arguments.report {
        Some(path) if subjects == all && !arguments.quick => {
            report::write(&path, &bench, &table)?;
            println!("This is in {} now.", path.display());
        }
        Some(path) => println!("{} is as it was: only a whole run is written there.", path.display()),
        None => {}
    }
    Ok(())
}
