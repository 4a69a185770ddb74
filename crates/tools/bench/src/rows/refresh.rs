//! The next pair of tokens of a session: one row changed and kept for good, one signature made.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::bench::{Bench, SMALL};
use crate::limits::sqlite::Baseline;
use crate::load::{Client, drive};
use crate::session::{Session, sign_in_buyers};
use crate::table::Row;
use crate::wire::{Connection, Request};

/// Sessions that are refreshed at once.
const CLIENTS: usize = 64;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.copy_and_start(SMALL, "refresh").await?;
    let mut clients = Vec::with_capacity(CLIENTS);
    for session in sign_in_buyers(server.address, CLIENTS).await? {
        clients.push(Device { connection: Connection::open(server.address).await?, session });
    }
    server.rest().await?;
    let baseline = Baseline::take(&server.data, &bench.shops.scratch("refresh-before")?)?;
    let measured = drive(&server, clients, bench.plan).await?;
    let data = server.data.clone();
    server.stop().await?;
    // A refresh changes the row of its session and adds none.
    let rows = baseline.rows(&data, measured.operations, &["sessions"])?;
    let limit = rows.limit(CLIENTS, &bench.shops.scratch("refresh-bare")?)?;
    bench.done("refresh")?;
    Ok(vec![Row::of_load("refresh", &measured, bench).with_limit(limit)])
}

struct Device {
    connection: Connection,
    session: Session,
}

impl Client for Device {
    async fn operate(&mut self) -> Result<u64> {
        let body = json!({"refresh_token": self.session.refresh}).to_string();
        let request = Request::post("/v1/auth/refresh", &body).bytes();
        let answer = self.connection.send(&request).await?.require(200)?;
        self.session = Session::read(&answer.json()?).context("POST /v1/auth/refresh")?;
        Ok(1)
    }
}
