//! How soon a shop is there, what it holds while nobody comes, and how large the program is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::checkout;
use crate::bench::{Bench, SMALL};
use crate::load::{Plan, Spread, drive};
use crate::process::{Memory, Server};
use crate::table::{Aim, Row, grouped, time};

/// Starts of each shop.
const STARTS: usize = 5;

/// Aims, in microseconds and MiB.
const AIM_START_US: f64 = 300_000.0;
const AIM_MEMORY_MIB: f64 = 60.0;

/// How long a shop that was busy is left alone before its memory is looked at.
const PAUSE: Duration = Duration::from_secs(10);

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let program = bare(bench.shops.binary())?;
    let mut rows = Vec::new();
    let small = bench.shops.copy(SMALL, "start").await?;
    for (orders, folder) in [(SMALL, small.clone()), (bench.large, bench.shops.kept(bench.large).await?)] {
        let (mut ready, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let server = Server::start(bench.shops.binary(), &folder).await?;
            ready.push(server.ready_after.as_secs_f64() * 1e6);
            answered.push(server.answered_after.as_secs_f64() * 1e6);
            server.stop().await?;
        }
        let name = |what: &str| format!("start to {what}, {} orders", grouped(orders as f64));
        for (what, times) in [("the first 200 of /readyz", ready), ("the first page of products", answered)] {
            let spread = Spread::of(times);
            let aim = Aim::new("under 300 ms".to_owned(), spread.median < AIM_START_US);
            let row = Row::of_spread(&name(what), spread).with_aim(aim);
            rows.push(row.with_limit_text(format!("{} for `souk --version`", time(program))));
        }
    }
    let server = bench.start(&small).await?;
    server.rest().await?;
    rows.push(memory("memory after the start, at rest", server.memory()?));
    let clients = checkout::clients(&server).await?;
    let plan = Plan { runs: 1, ..bench.plan };
    drive(&server, clients, plan).await?;
    tokio::time::sleep(PAUSE).await;
    rows.push(memory("memory at rest after checkouts", server.memory()?));
    server.stop().await?;
    bench.done("start")?;
    let bytes = fs::metadata(bench.shops.binary())?.len();
    rows.push(Row::of_value("size of the program", format!("{:.1} MiB", mib(bytes))));
    Ok(rows)
}

fn memory(name: &str, memory: Memory) -> Row {
    let (resident, proportional) = (mib(memory.resident), mib(memory.proportional));
    let aim = Aim::new("under 60 MiB".to_owned(), resident < AIM_MEMORY_MIB);
    let note = format!("this is the resident set; the proportional one is {proportional:.1} MiB");
    Row::of_value(name, format!("{resident:.1} MiB")).with_aim(aim).with_note(note)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Microseconds for running the program when it does nothing: reading it, linking it, ending it.
fn bare(binary: &Path) -> Result<f64> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let status =
            Command::new(binary).arg("--version").stdout(Stdio::null()).status().context("--version")?;
        ensure!(status.success(), "`--version` ended with {status}");
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Spread::of(times).median)
}
