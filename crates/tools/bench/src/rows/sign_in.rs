//! Signing in with a password, against the hash alone.

use anyhow::Result;

use crate::bench::{Bench, SMALL};
use crate::limits::argon;
use crate::load::{Client, Measured, drive};
use crate::session::sign_in_request;
use crate::shop::{BUYERS, buyer, configure};
use crate::table::{Aim, Row};
use crate::wire::Connection;

/// People who sign in at once.
const CLIENTS: usize = 16;

/// The share of the limit that is aimed at.
const AIM: f64 = 0.9;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let cores = bench.machine.cores;
    let before = argon::limit(cores, bench.plan.run)?;
    let all = load(bench, Some(cores)).await?;
    let after = argon::limit(cores, bench.plan.run)?;
    // The better of both, so that what else the machine may have done does not flatter us.
    let limit = if before.rate > after.rate { before } else { after };
    let shipped = load(bench, None).await?;
    let share = all.rate().median / limit.rate;
    let aim = Aim::new("90 % of the limit".to_owned(), share >= AIM);
    Ok(vec![
        Row::of_load("sign-in, hashing on every core", &all, bench).with_limit(limit).with_aim(aim),
        Row::of_load("sign-in, as shipped", &shipped, bench).with_limit(limit),
    ])
}

async fn load(bench: &Bench, threads: Option<usize>) -> Result<Measured> {
    let folder = bench.shops.copy(SMALL, "sign-in").await?;
    configure(&folder, threads)?;
    let server = bench.start(&folder).await?;
    let mut clients = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        let requests = (number..BUYERS).step_by(CLIENTS).map(|n| sign_in_request(&buyer(n))).collect();
        clients.push(Person { connection: Connection::open(server.address).await?, requests, next: 0 });
    }
    server.rest().await?;
    let measured = drive(&server, clients, bench.plan).await?;
    server.stop().await?;
    bench.done("sign-in")?;
    Ok(measured)
}

struct Person {
    connection: Connection,
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Client for Person {
    async fn operate(&mut self) -> Result<u64> {
        self.next += 1;
        self.connection.send(&self.requests[self.next % self.requests.len()]).await?.require(200)?;
        Ok(1)
    }
}
