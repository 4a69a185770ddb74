//! A shop to look at: a catalogue of a brand that does not exist, and a history that happened.

mod history;
mod people;

use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use contracts::catalog::ImportProduct;
use contracts::import::Mode;
use include_dir::{Dir, include_dir};
use kernel::{Currency, Secret};
use web::Role;

use crate::config::Config;
use crate::import::takers::{People, Products, Purchases};
use crate::import::{ImportPurchase, Options, Record, Refusal, Summary, products, run};
use crate::wiring::Shop;

static CATALOGUE: &[u8] = include_bytes!("../../../../fixtures/demo/catalog.json");
static PICTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/demo/pictures");

/// Written into the data folder once everything is loaded, so that the next start need not.
const LOADED: &str = "demo-loaded";

/// With what a browser sends events to the demo.
const WRITE_KEY: &str = "demo-storefront";

/// The demo's shop is where its history is from: it sells in dollars, and its prices contain no tax.
/// Events are taken from whoever uses the key that the demo names.
pub(crate) fn adjust(config: &mut Config) {
    config.orders.currency = Currency::USD;
    config.orders.shipping.tax_basis_points = 0;
    config.catalog.tax_basis_points = 0;
    if config.analytics.sources.is_empty() {
        let write_key = Secret::new(WRITE_KEY.to_owned());
        config.analytics.sources.push(analytics::Source { name: "storefront".to_owned(), write_key });
    }
}

/// Loads the demo into `shop`, unless it is there. Ended half-way, it is simply done again.
pub(crate) async fn load(shop: &Shop) -> anyhow::Result<()> {
    let loaded = shop.config.data.join(LOADED);
    if loaded.exists() {
        return Ok(());
    }
    let options = Options { progress: std::io::stderr().is_terminal(), report: None };
    pictures(shop).await?;
    step("products", products_of(shop, &options).await?)?;
    step("customers", customers(shop, &options).await?)?;
    step("orders", orders(shop, &options).await?)?;
    accounts(shop).await?;
    std::fs::write(&loaded, "").with_context(|| format!("cannot write {}", loaded.display()))
}

fn step(what: &str, (summary, refused): (Summary, Vec<String>)) -> anyhow::Result<()> {
    if let Some(sentence) = refused.first() {
        anyhow::bail!("the demo's {what} do not fit this shop: {sentence}");
    }
    eprintln!("{:>7} {what} loaded", summary.created + summary.updated + summary.unchanged);
    Ok(())
}

/// The catalogue as the import reads it.
pub(crate) fn catalogue() -> anyhow::Result<Vec<ImportProduct>> {
    products(CATALOGUE)
        .map(|record| {
            record.content.map_err(|refusal| anyhow::anyhow!("{}: {}", record.name, refusal.detail))
        })
        .collect()
}

async fn pictures(shop: &Shop) -> anyhow::Result<()> {
    for file in PICTURES.files() {
        let name = file.path().file_name().and_then(|name| name.to_str()).context("a picture has no name")?;
        let key = format!("media/products/{name}");
        shop.objects.put(&key, Bytes::from_static(file.contents()), "image/svg+xml").await?;
    }
    Ok(())
}

async fn products_of(shop: &Shop, options: &Options<'_>) -> anyhow::Result<(Summary, Vec<String>)> {
    let taker = Products::new(shop.services.clone(), Mode::Apply)?;
    run(products(CATALOGUE), unknown_size(), &taker, options).await
}

async fn customers(shop: &Shop, options: &Options<'_>) -> anyhow::Result<(Summary, Vec<String>)> {
    let customers = history::customers()?;
    let mut by_orders: Vec<(u32, u32)> =
        customers.iter().map(|(customer, _, count)| (*count, *customer)).collect();
    by_orders.sort_unstable_by(|a, b| b.cmp(a));
    let shoppers: Vec<u32> =
        by_orders.iter().take(people::SHOPPERS.len()).map(|(_, customer)| *customer).collect();
    let people = people::People::new();
    let records = customers.into_iter().enumerate().map(move |(index, (customer, day, _))| {
        let rank = shoppers.iter().position(|shopper| *shopper == customer).unwrap_or(usize::MAX);
        Record {
            place: format!("record {}", index + 1),
            name: history::external_customer(customer),
            content: Ok(people.person(customer, day, rank)),
        }
    });
    let taker = People::new(shop.services.clone(), Mode::Apply)?;
    run(Box::new(records), unknown_size(), &taker, options).await
}

async fn orders(shop: &Shop, options: &Options<'_>) -> anyhow::Result<(Summary, Vec<String>)> {
    let mut maker = history::Orders::new(&catalogue()?);
    let records = history::published().enumerate().map(move |(place, purchase)| match purchase {
        Ok(purchase) => {
            let Record { place, name, content } = maker.record(place, purchase);
            let content = content.map(|order| ImportPurchase { order, buyer_email: None });
            Record { place, name, content }
        }
        Err(error) => {
            let content = Err(Refusal::new("import.unreadable", None, error.to_string()));
            Record { place: format!("line {}", place + 2), name: String::new(), content }
        }
    });
    let taker = Purchases::new(shop.services.clone(), Mode::Apply)?;
    run(Box::new(records), unknown_size(), &taker, options).await
}

/// Passwords for those who are meant to be signed in as.
async fn accounts(shop: &Shop) -> anyhow::Result<()> {
    let identity = shop.services.identity.as_ref().context("identity does not run here")?;
    let password = Secret::new(people::PASSWORD.to_owned());
    for shopper in &people::SHOPPERS {
        identity.ensure_account(shopper.email, &password).await?;
    }
    identity.add_staff(people::STAFF_EMAIL, &[Role::Administrator], &password).await?;
    Ok(())
}

fn unknown_size() -> (Arc<std::sync::atomic::AtomicU64>, u64) {
    (Arc::default(), 0)
}

/// What a newcomer needs to know.
pub(crate) fn welcome(shop: &Shop) -> String {
    let url = shop.config.public_url();
    let mut text = format!(
        "\nThe shop answers at {url}\n\n  \
         API document   {url}/docs\n  \
         products       {url}/v1/products?query=serum\n  \
         mail           {}/mail/*.eml\n  \
         operations     http://{}/readyz\n  \
         events         POST {url}/v1/track with the write key {WRITE_KEY}\n\nSign in (POST /v1/auth/signin) with the password {}\n\n",
        shop.config.data.display(),
        shop.config.ops_listen,
        people::PASSWORD,
    );
    for shopper in &people::SHOPPERS {
        text.push_str(&format!("  {:<20} {}, a customer since 1997\n", shopper.email, shopper.name));
    }
    text.push_str(&format!("  {:<20} staff, may do everything\n", people::STAFF_EMAIL));
    text
}
