//! The page of one product, asked for by people who are not signed in.

use anyhow::{Context as _, Result};

use crate::bench::{Bench, SMALL};
use crate::limits::http;
use crate::load::{Client, drive};
use crate::process::Server;
use crate::table::Row;
use crate::wire::{Connection, Request};

/// Connections at once.
const CLIENTS: usize = 32;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.copy_and_start(SMALL, "product").await?;
    let products = products(&server).await?;
    let requests: Vec<Vec<u8>> =
        products.iter().map(|id| Request::get(&format!("/v1/products/{id}")).bytes()).collect();
    let clients = Reader::several(&server, CLIENTS, &requests).await?;
    server.rest().await?;
    let measured = drive(&server, clients, bench.plan).await?;
    let limit = http::limit(&server, &requests[0], CLIENTS, bench.plan).await?;
    server.stop().await?;
    bench.done("product")?;
    Ok(vec![Row::of_load("product page", &measured, bench).with_limit(limit)])
}

/// Somebody who asks for one page after the other.
pub(super) struct Reader {
    connection: Connection,
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Reader {
    /// So many of them, each of whom begins at another of `requests`.
    pub(super) async fn several(server: &Server, count: usize, requests: &[Vec<u8>]) -> Result<Vec<Self>> {
        let mut readers = Vec::with_capacity(count);
        for number in 0..count {
            let connection = Connection::open(server.address).await?;
            readers.push(Self { connection, requests: requests.to_vec(), next: number * 7 });
        }
        Ok(readers)
    }
}

impl Client for Reader {
    async fn operate(&mut self) -> Result<u64> {
        self.next += 1;
        let request = &self.requests[self.next % self.requests.len()];
        self.connection.send(request).await?.require(200)?;
        Ok(1)
    }
}

async fn products(server: &Server) -> Result<Vec<String>> {
    let mut connection = Connection::open(server.address).await?;
    let request = Request::get("/v1/products?limit=100").bytes();
    let page = connection.send(&request).await?.require(200)?.json()?;
    let products = page["data"].as_array().context("a page of products")?;
    products.iter().map(|product| Ok(product["id"].as_str().context("an id")?.to_owned())).collect()
}
