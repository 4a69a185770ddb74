//! The first page of one's purchase history, in a shop with few orders and in one with very many.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::product::Reader;
use crate::bench::{Bench, SMALL};
use crate::limits::http;
use crate::load::{Measured, drive};
use crate::process::Server;
use crate::session::{self, Session, sign_in_buyers};
use crate::shop::{BUYERS, COLLECTOR, LONG_HISTORY};
use crate::table::{Aim, Limit, Row, grouped};
use crate::wire::{Connection, Request};

/// Connections at once.
const CLIENTS: usize = 32;

/// Orders on a page.
const PAGE: usize = 20;

/// What a page may cost the server, in microseconds.
const AIM_CPU_US: f64 = 400.0;

/// How much dearer a page may be in the large shop.
const AIM_RATIO: f64 = 1.3;

struct Pages {
    ordinary: Measured,
    long: Measured,
    limit: Limit,
}

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let small = pages(bench, SMALL).await?;
    let large = pages(bench, bench.large).await?;
    let name = |who: &str, orders: usize| format!("history page, {who}, {} orders", grouped(orders as f64));
    let (who, long) = ("a customer's 25", format!("a customer's {}", grouped(LONG_HISTORY as f64)));
    let row = |name: String, measured: &Measured, limit: Limit| {
        let cpu = measured.server_cpu().median;
        let aim = Aim::new("at most 0.4 ms CPU".to_owned(), cpu <= AIM_CPU_US);
        Row::of_load(&name, measured, bench).with_limit(limit).with_aim(aim)
    };
    let against = |name: &str, small: &Measured, large: &Measured| {
        let ratio = large.server_cpu().median / small.server_cpu().median;
        let aim = Aim::new("at most 1.3 times".to_owned(), ratio <= AIM_RATIO);
        Row::of_value(name, format!("{ratio:.2} times the CPU")).with_aim(aim)
    };
    Ok(vec![
        row(name(who, SMALL), &small.ordinary, small.limit),
        row(name(who, bench.large), &large.ordinary, large.limit),
        against("the larger shop against the smaller", &small.ordinary, &large.ordinary),
        row(name(&long, SMALL), &small.long, small.limit),
        row(name(&long, bench.large), &large.long, large.limit),
        against("the same for the long history", &small.long, &large.long),
    ])
}

/// Measures in the kept shop itself: pages are only read, and sessions of earlier runs do no harm.
async fn pages(bench: &Bench, orders: usize) -> Result<Pages> {
    let folder = bench.shops.kept(orders).await?;
    let server = bench.start(&folder).await?;
    let buyers: Vec<Vec<u8>> = sign_in_buyers(server.address, BUYERS).await?.iter().map(request).collect();
    let collector = request(&session::sign_in(server.address, COLLECTOR).await?);
    check(&server, &buyers[0]).await?;
    check(&server, &collector).await?;
    server.rest().await?;
    let readers = Reader::several(&server, CLIENTS, &buyers).await?;
    let ordinary = drive(&server, readers, bench.plan).await?;
    let readers = Reader::several(&server, CLIENTS, std::slice::from_ref(&collector)).await?;
    let long = drive(&server, readers, bench.plan).await?;
    let limit = http::limit(&server, &buyers[0], CLIENTS, bench.plan).await?;
    server.stop().await?;
    Ok(Pages { ordinary, long, limit })
}

fn request(session: &Session) -> Vec<u8> {
    Request::get(&format!("/v1/orders?limit={PAGE}")).bearer(&session.access).bytes()
}

/// A page that is not full would be cheap for nothing.
async fn check(server: &Server, request: &[u8]) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    let page = connection.send(request).await?.require(200)?.json()?;
    let orders = page["data"].as_array().map_or(0, Vec::len);
    ensure!(orders == PAGE && page["next_cursor"] != Value::Null, "a page with {orders} orders");
    Ok(())
}
