//! Events of web shops and apps, in batches as Segment's libraries send them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::{Bench, SMALL};
use crate::limits::sqlite::Baseline;
use crate::load::{Client, drive};
use crate::shop::WRITE_KEY;
use crate::table::Row;
use crate::wire::{Connection, NUMBER, Numbered, Request};

/// Senders at once.
const CLIENTS: usize = 16;

/// Events that Segment's libraries collect before they send them.
const EVENTS: usize = 20;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.copy_and_start(SMALL, "batch").await?;
    let mut clients = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        let request = Numbered::new(Request::post("/v1/batch", &batch()).bytes());
        let connection = Connection::open(server.address).await?;
        clients.push(Sender { connection, request, next: number as u64 * 1_000_000_000 });
    }
    server.rest().await?;
    let baseline = Baseline::take(&server.data, &bench.shops.scratch("batch-before")?)?;
    let measured = drive(&server, clients, bench.plan).await?;
    let data = server.data.clone();
    server.stop().await?;
    let rows = baseline.rows(&data, measured.operations, &[])?;
    let written = format!("an event is {}", rows.describe());
    let limit = rows.limit(CLIENTS * EVENTS, &bench.shops.scratch("batch-bare")?)?;
    bench.done("batch")?;
    Ok(vec![Row::of_load("events, 20 to a batch", &measured, bench).with_limit(limit).with_note(written)])
}

fn batch() -> String {
    let event = json!({
        "type": "track", "event": "Product Viewed", "messageId": format!("m-{NUMBER}"),
        "anonymousId": format!("a-{NUMBER}"), "timestamp": "2026-01-01T10:00:00Z",
        "context": {"library": {"name": "analytics.js", "version": "4.1.0"}, "locale": "en-GB",
            "page": {"path": "/products/velvet-lip", "title": "Velvet Lipstick"}},
        "properties": {"product_id": "VL-ROSE", "name": "Velvet Lipstick", "price": 24, "currency": "USD"}});
    json!({"writeKey": WRITE_KEY, "batch": vec![event; EVENTS]}).to_string()
}

struct Sender {
    connection: Connection,
    request: Numbered,
    next: u64,
}

impl Client for Sender {
    async fn operate(&mut self) -> Result<u64> {
        let request = self.request.with(self.next);
        self.next += 2 * EVENTS as u64;
        let answer = self.connection.send(request).await?.require(200)?.json()?;
        anyhow::ensure!(answer["success"] == Value::Bool(true), "events were refused: {answer}");
        Ok(EVENTS as u64)
    }
}
