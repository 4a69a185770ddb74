//! Thousands of open streams, and how soon one change has reached all of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinSet;

use crate::bench::{Bench, SMALL};
use crate::limits::fan_out;
use crate::load::Spread;
use crate::process::Server;
use crate::session;
use crate::shop::STAFF;
use crate::table::{Row, grouped, time};
use crate::wire::{Connection, Request};

/// Streams that are open at once.
const LISTENERS: usize = 5_000;

/// Files that this program has open when the machine's own limit is measured, and some more.
const FILES: u64 = 2 * LISTENERS as u64 + 500;

/// Changes that are made in each run.
const CHANGES: usize = 5;

/// How long nothing happens before a change, so that none meets the one before.
const PAUSE: Duration = Duration::from_millis(500);

/// How long one change may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let files = crate::machine::open_files()?;
    ensure!(files >= FILES, "{files} files may be open, and this needs {FILES}: `ulimit -n {FILES}`");
    let server = bench.copy_and_start(SMALL, "listeners").await?;
    server.rest().await?;
    let before = server.memory()?.resident;
    let mut listeners = open(&server).await?;
    tokio::time::sleep(PAUSE).await;
    let each = server.memory()?.resident.saturating_sub(before) / LISTENERS as u64;
    let mut staff = Changes::new(&server).await?;
    let (mut told, mut all, mut length) = (Histogram::new(3)?, Vec::new(), 0);
    let cpu = server.cpu()?;
    let rounds = CHANGES * bench.plan.runs;
    for _ in 0..rounds {
        tokio::time::sleep(PAUSE).await;
        let wanted = staff.next_mark();
        let waiting = wait(listeners, wanted.clone());
        let begun = Instant::now();
        let (reached, changed) = tokio::join!(waiting, staff.change());
        changed?;
        let last;
        (listeners, last, length) = note(reached?, begun, &mut told)?;
        all.push(last);
        eprintln!("    {wanted}: everybody after {}", time(last));
    }
    let cpu = server.cpu()?.saturating_sub(cpu).as_secs_f64() * 1e6 / (rounds * LISTENERS) as f64;
    drop(listeners);
    server.stop().await?;
    bench.done("listeners")?;
    let bare = fan_out::time(LISTENERS, length, rounds).await?;
    let all = Spread::of(all);
    let name = format!("{} listeners", grouped(LISTENERS as f64));
    Ok(vec![
        Row::of_value(&format!("{name}: memory each"), format!("{:.1} KiB", each as f64 / 1_024.0)),
        Row::of_times(&format!("{name}: one change reaches all"), all, cpu, &told)
            .with_limit_text(format!("{} to write to all", time(bare))),
    ])
}

/// Opens the streams; each has had its greeting.
async fn open(server: &Server) -> Result<Vec<Connection>> {
    let request = Request::get("/v1/stream?topics=inventory").bytes();
    let mut listeners = Vec::with_capacity(LISTENERS);
    for _ in 0..LISTENERS {
        let mut connection = Connection::open_small(server.address).await?;
        let status = connection.begin(&request).await?;
        ensure!(status == 200, "{status} instead of a stream");
        connection.read_past(b"retry: 2000").await.context("the greeting")?;
        listeners.push(connection);
    }
    Ok(listeners)
}

/// Somebody of the staff who counts the stock of one variant, differently each time.
struct Changes {
    connection: Connection,
    access: String,
    path: String,
    on_hand: u64,
}

impl Changes {
    async fn new(server: &Server) -> Result<Self> {
        let access = session::sign_in(server.address, STAFF).await?.access;
        let mut connection = Connection::open(server.address).await?;
        let page =
            connection.send(&Request::get("/v1/products?limit=1").bytes()).await?.require(200)?.json()?;
        let variant = page["data"][0]["variants"][0]["id"].as_str().context("a variant")?;
        let path = format!("/v1/admin/variants/{variant}/stock");
        Ok(Self { connection, access, path, on_hand: 100_000_000 })
    }

    /// What the next change looks like to a listener.
    fn next_mark(&mut self) -> String {
        self.on_hand += 1;
        format!("\"available\":{}", self.on_hand)
    }

    async fn change(&mut self) -> Result<()> {
        let body = json!({"on_hand": self.on_hand}).to_string();
        let request =
            Request { method: "PUT", ..Request::post(&self.path, &body) }.bearer(&self.access).bytes();
        self.connection.send(&request).await?.require(200).context("PUT …/stock")?;
        Ok(())
    }
}

/// A listener that was told, when, and how many bytes came.
type Told = (Connection, Instant, usize);

/// Has every listener wait for `mark`.
pub(crate) async fn wait(listeners: Vec<Connection>, mark: String) -> Result<Vec<Told>> {
    let mut waiting = JoinSet::new();
    for mut listener in listeners {
        let mark = mark.clone();
        waiting.spawn(async move {
            let length = listener.read_past(mark.as_bytes()).await?;
            anyhow::Ok((listener, Instant::now(), length))
        });
    }
    let mut told = Vec::with_capacity(waiting.len());
    let all = async {
        while let Some(listener) = waiting.join_next().await {
            told.push(listener??);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, all).await.context("not everybody was told")??;
    Ok(told)
}

/// Notes when everybody was told; answers with the listeners, microseconds until the last, and the bytes of one.
fn note(
    reached: Vec<Told>,
    begun: Instant,
    told: &mut Histogram<u64>,
) -> Result<(Vec<Connection>, f64, usize)> {
    let (mut listeners, mut last, mut length) = (Vec::with_capacity(reached.len()), Duration::ZERO, 0);
    for (listener, at, bytes) in reached {
        let after = at.saturating_duration_since(begun);
        told.record(u64::try_from(after.as_micros())?.max(1))?;
        last = last.max(after);
        length = bytes;
        listeners.push(listener);
    }
    Ok((listeners, last.as_secs_f64() * 1e6, length))
}
