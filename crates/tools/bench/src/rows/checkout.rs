//! From putting something into the cart to the order being paid.

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::bench::{Bench, SMALL};
use crate::limits::sqlite::Baseline;
use crate::load::{Client, drive};
use crate::process::Server;
use crate::session::{Session, sign_in_buyers};
use crate::shop::BUYERS;
use crate::table::{Aim, Row};
use crate::wire::{Connection, NUMBER, Numbered, Request};

/// Customers at the till at once.
const CLIENTS: usize = 64;

/// Somebody who buys again and again, in the names of several customers in turn: requests to put one thing
/// into the cart and to pay for it.
pub(super) struct Buyer {
    connection: Connection,
    customers: Vec<Customer>,
    /// Makes every `Idempotency-Key` one of its own.
    next: u64,
}

struct Customer {
    put: Vec<Vec<u8>>,
    check_out: Numbered,
}

impl Client for Buyer {
    async fn operate(&mut self) -> Result<u64> {
        self.next += 1;
        let turn = usize::try_from(self.next)?;
        let count = self.customers.len();
        let customer = self.customers.get_mut(turn % count).context("a buyer has customers")?;
        let put = &customer.put[turn / count % customer.put.len()];
        self.connection.send(put).await?.require(200).context("PUT /v1/carts/me/items")?;
        let answer = self.connection.send(customer.check_out.with(self.next)).await?;
        let answer = answer.require(201).context("POST /v1/checkouts")?;
        // The answer to a card that asks nothing back is the paid order; anything else is a failure here.
        if !answer.holds("\"payment_status\":\"captured\"") {
            bail!("the order is not paid: {}", String::from_utf8_lossy(answer.body));
        }
        Ok(1)
    }
}

/// What a checkout may cost the server, in microseconds.
const AIM_CPU_US: f64 = 2_000.0;

/// Checkouts a second that are aimed at.
const AIM_RATE: f64 = 1_000.0;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.copy_and_start(SMALL, "checkout").await?;
    let clients = clients(&server).await?;
    server.rest().await?;
    let baseline = Baseline::take(&server.data, &bench.shops.scratch("checkout-before")?)?;
    let measured = drive(&server, clients, bench.plan).await?;
    let data = server.data.clone();
    server.stop().await?;
    let rows = baseline.rows(&data, measured.operations, &[])?;
    let written = format!("an order is {}", rows.describe());
    let limit = rows.limit(CLIENTS, &bench.shops.scratch("checkout-bare")?)?;
    bench.done("checkout")?;
    let (rate, cpu) = (measured.rate().median, measured.server_cpu().median);
    let aim = Aim::new("1,000/s, at most 2 ms CPU".to_owned(), rate >= AIM_RATE && cpu <= AIM_CPU_US);
    let row = Row::of_load("checkout, from the cart to paid", &measured, bench);
    Ok(vec![row.with_limit(limit).with_aim(aim).with_note(written)])
}

/// Customers at the till.
pub(super) async fn clients(server: &Server) -> Result<Vec<Buyer>> {
    let sessions = sign_in_buyers(server.address, BUYERS).await?;
    let variants = variants(server).await?;
    let mut clients = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        let own = sessions.iter().skip(number).step_by(CLIENTS);
        clients.push(Buyer {
            connection: Connection::open(server.address).await?,
            customers: own.map(|session| customer(session, &variants, number)).collect(),
            next: number as u64 * 1_000_000_000,
        });
    }
    Ok(clients)
}

fn customer(session: &Session, variants: &[String], number: usize) -> Customer {
    let put = (0..16)
        .map(|nth| {
            let path = format!("/v1/carts/me/items/{}", variants[(number * 16 + nth) % variants.len()]);
            let body = json!({"quantity": 1}).to_string();
            Request { method: "PUT", ..Request::post(&path, &body) }.bearer(&session.access).bytes()
        })
        .collect();
    let body = json!({
        "shipping_address": {"name": "Ada Winter", "line1": "Lindenstr. 1", "city": "Berlin",
            "postal_code": "10969", "country": "DE"},
        "payment": {"method": "card", "token": "tok_visa"}});
    let body = body.to_string();
    let headers = [("idempotency-key", NUMBER)];
    let request = Request { headers: &headers, ..Request::post("/v1/checkouts", &body) };
    Customer { put, check_out: Numbered::new(request.bearer(&session.access).bytes()) }
}

/// What there is to buy.
async fn variants(server: &Server) -> Result<Vec<String>> {
    let mut connection = Connection::open(server.address).await?;
    let request = Request::get("/v1/products?limit=100").bytes();
    let page = connection.send(&request).await?.require(200)?.json()?;
    let mut variants = Vec::new();
    for product in page["data"].as_array().context("a page of products")? {
        for variant in product["variants"].as_array().context("variants")? {
            variants.push(variant["id"].as_str().context("a variant's id")?.to_owned());
        }
    }
    Ok(variants)
}
