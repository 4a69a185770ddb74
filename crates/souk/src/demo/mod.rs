//! A shop to look at: a catalogue of a brand that does not exist, and a history that happened.

mod history;
mod loopback;
mod mailbox;
mod people;
mod storefront;

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use bytes::Bytes;
use contracts::catalog::ImportProduct;
use contracts::import::Mode;
use include_dir::{Dir, include_dir};
use kernel::{Currency, Date, Secret};
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

/// Who sells in the demo.
const BRAND: &str = "Maren Vale";

/// What the demo shows beside the API: its storefront and its mailbox.
pub(crate) fn routes(config: &Config) -> Router {
    storefront::routes(config.public_url()).merge(mailbox::routes(config.data.join(&config.mail.folder)))
}

/// The demo's shop is where its history is from: it sells in dollars, and its prices contain no tax.
/// Events are taken from whoever uses the key that the demo names.
pub(crate) fn adjust(config: &mut Config) {
    config.orders.currency = Currency::USD;
    config.orders.shipping.tax_basis_points = 0;
    config.catalog.tax_basis_points = 0;
    if config.mail.brand == mail::Brand::default() {
        BRAND.clone_into(&mut config.mail.from_name);
        "hello@maren-vale.example".clone_into(&mut config.mail.from_address);
        config.mail.brand = mail::Brand {
            name: BRAND.to_owned(),
            url: config.public_url(),
            colour: "#7d3443".to_owned(),
            imprint: format!("{BRAND}, a shop that does not exist"),
        };
    }
    if config.analytics.sources.is_empty() {
        let write_key = Secret::new(WRITE_KEY.to_owned());
        config.analytics.sources.push(analytics::Source { name: "storefront".to_owned(), write_key });
    }
}

/// Loads the demo into `shop`, unless it is there. Ended half-way, it is simply done again. Of the history
/// it is about `orders` orders, or all of them.
pub(crate) async fn load(shop: &Shop, orders: Option<u32>) -> anyhow::Result<()> {
    let loaded = shop.config.data.join(LOADED);
    if loaded.exists() {
        return Ok(());
    }
    let options = Options { progress: std::io::stderr().is_terminal(), report: None };
    pictures(shop).await?;
    step("products", products_of(shop, &options).await?)?;
    let cohort = Cohort::new(orders)?;
    step("customers", customers(shop, &cohort, &options).await?)?;
    step("orders", purchases(shop, &cohort, &options).await?)?;
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

/// Whose history is loaded.
struct Cohort {
    /// With the day of the first purchase.
    customers: Vec<(u32, Date)>,
    /// Those with the most orders, most first.
    shoppers: Vec<u32>,
}

impl Cohort {
    /// Those with the most orders, until there are `orders` of them; everybody without a number.
    fn new(orders: Option<u32>) -> anyhow::Result<Self> {
        let mut by_orders = history::customers()?;
        by_orders.sort_unstable_by_key(|(customer, _, count)| std::cmp::Reverse((*count, *customer)));
        let shoppers =
            by_orders.iter().take(people::SHOPPERS.len()).map(|(customer, ..)| *customer).collect();
        let (mut sum, mut customers) = (0, Vec::new());
        for (customer, day, count) in by_orders {
            if customers.len() < people::SHOPPERS.len() || orders.is_none_or(|most| sum < most) {
                customers.push((customer, day));
                sum += count;
            }
        }
        customers.sort_unstable();
        Ok(Self { customers, shoppers })
    }
}

async fn customers(
    shop: &Shop,
    cohort: &Cohort,
    options: &Options<'_>,
) -> anyhow::Result<(Summary, Vec<String>)> {
    let shoppers = cohort.shoppers.clone();
    let people = people::People::new();
    let records = cohort.customers.clone().into_iter().enumerate().map(move |(index, (customer, day))| {
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

async fn purchases(
    shop: &Shop,
    cohort: &Cohort,
    options: &Options<'_>,
) -> anyhow::Result<(Summary, Vec<String>)> {
    let mut maker = history::Orders::new(&catalogue()?);
    let loaded: HashSet<u32> = cohort.customers.iter().map(|(customer, _)| *customer).collect();
    let is_loaded = move |purchase: &anyhow::Result<history::Purchase>| {
        purchase.as_ref().map_or(true, |purchase| loaded.contains(&purchase.customer))
    };
    let records = history::published().enumerate().filter(move |(_, purchase)| is_loaded(purchase)).map(
        move |(place, purchase)| match purchase {
            Ok(purchase) => {
                let Record { place, name, content } = maker.record(place, purchase);
                let content = content.map(|order| ImportPurchase { order, buyer_email: None });
                Record { place, name, content }
            }
            Err(error) => {
                let content = Err(Refusal::new("import.unreadable", None, error.to_string()));
                Record { place: format!("line {}", place + 2), name: String::new(), content }
            }
        },
    );
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
        "\nThe shop is open at {url}\n\n  \
         its mails      {url}/mailbox\n  \
         API document   {url}/docs\n  \
         products       {url}/v1/products?query=serum\n  \
         operations     http://{}/readyz\n  \
         events         POST {url}/v1/track with the write key {WRITE_KEY}\n\nSign in with the password {}\n\n",
        shop.config.ops_listen,
        people::PASSWORD,
    );
    for shopper in &people::SHOPPERS {
        text.push_str(&format!("  {:<20} {}, a customer since 1997\n", shopper.email, shopper.name));
    }
    text.push_str(&format!("  {:<20} staff, may do everything\n", people::STAFF_EMAIL));
    text
}
