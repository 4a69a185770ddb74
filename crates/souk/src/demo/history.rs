//! The purchase history: the CDNOW cohort, whose customers, days, units and totals are real, with
//! lines drawn from the catalogue by a fixed seed.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use contracts::catalog::ImportProduct;
use contracts::orders::{ImportLine, ImportOrder, Totals};
use flate2::read::GzDecoder;
use kernel::{Currency, Date, Money, Rng, Timestamp, VariantId};

use crate::import::{Record, Refusal, customer_id, order_id};

static PUBLISHED: &[u8] = include_bytes!("../../../../fixtures/demo/cdnow_master.txt.gz");

/// The seed of everything that is made up.
pub(super) const SEED: u64 = 1997;

/// Nobody bought more different things at once than so many, for all we make up.
const MOST_VARIANTS: u64 = 4;

/// One purchase as it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purchase {
    pub(super) customer: u32,
    pub(super) day: Date,
    pub(super) units: u32,
    pub(super) total: Money,
}

/// Reads all purchases, in the order of the file: by customer, then by day.
pub(super) fn published() -> impl Iterator<Item = anyhow::Result<Purchase>> {
    BufReader::new(GzDecoder::new(PUBLISHED)).lines().skip(1).filter(not_blank).map(|line| parse(&line?))
}

fn not_blank(line: &std::io::Result<String>) -> bool {
    line.as_ref().map_or(true, |line| !line.trim().is_empty())
}

fn parse(line: &str) -> anyhow::Result<Purchase> {
    let fault = || format!("{line:?} is not a purchase");
    let cells: Vec<&str> = line.split_whitespace().collect();
    let [customer, day, units, total] = cells[..] else { anyhow::bail!(fault()) };
    let number = |range: std::ops::Range<usize>| day.get(range).and_then(|digits| digits.parse::<i16>().ok());
    let day = number(0..4)
        .zip(number(4..6).zip(number(6..8)))
        .and_then(|(year, (month, day))| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?));
    Ok(Purchase {
        customer: customer.parse().with_context(fault)?,
        day: day.with_context(fault)?,
        units: units.parse().with_context(fault)?,
        total: Money::parse_major(total, Currency::USD).with_context(fault)?,
    })
}

/// What customers are called in this history.
pub(super) fn external_customer(customer: u32) -> String {
    format!("cdnow-{customer:05}")
}

/// Something that lines are drawn from.
#[derive(Clone)]
struct Choice {
    variant_id: VariantId,
    sku: String,
    title: String,
    price: i64,
}

/// Makes orders of purchases.
pub(super) struct Orders {
    choices: Arc<[Choice]>,
    rng: Rng,
    /// How many orders of the present customer there were on the present day.
    same_day: (u32, Option<Date>, u32),
}

impl Orders {
    pub(super) fn new(products: &[ImportProduct]) -> Self {
        let choices = products.iter().flat_map(|product| {
            product.variants.iter().map(|variant| Choice {
                variant_id: variant.variant_id,
                sku: variant.sku.clone(),
                title: format!("{}, {}", product.title, variant.title),
                price: variant.price.amount,
            })
        });
        Self { choices: choices.collect(), rng: Rng::seeded(SEED), same_day: (0, None, 0) }
    }

    /// The order that `purchase` was, as the record that stands at `place`.
    pub(super) fn record(&mut self, place: usize, purchase: Purchase) -> Record<ImportOrder> {
        let nth = match self.same_day {
            (customer, Some(day), nth) if (customer, day) == (purchase.customer, purchase.day) => nth + 1,
            _ => 0,
        };
        self.same_day = (purchase.customer, Some(purchase.day), nth);
        let name = format!("cdnow-{:05}-{}-{nth}", purchase.customer, purchase.day);
        let content = self.order(&name, purchase);
        Record { place: format!("line {}", place + 2), name, content }
    }

    fn order(&self, name: &str, purchase: Purchase) -> Result<ImportOrder, Refusal> {
        let placed_at = self.moment(purchase.day);
        let zero = Money::zero(purchase.total.currency);
        Ok(ImportOrder {
            order_id: order_id(name, placed_at),
            external_id: name.to_owned(),
            customer_id: Some(customer_id(&external_customer(purchase.customer))),
            placed_at,
            status: "completed".to_owned(),
            payment_status: "captured".to_owned(),
            fulfilment_status: "fulfilled".to_owned(),
            lines: self.lines(purchase)?,
            totals: Totals {
                subtotal: purchase.total,
                discount: zero,
                shipping: zero,
                tax: zero,
                total: purchase.total,
            },
        })
    }

    /// The hour is not in the data: some time between eight in the morning and eleven at night.
    fn moment(&self, day: Date) -> Timestamp {
        day.start().plus(Duration::from_secs(8 * 3_600 + self.rng.below(15 * 3_600)))
    }

    /// Draws as many units as were bought and divides what was paid between them by their list
    /// prices, so that the lines add up to the total to the cent.
    fn lines(&self, purchase: Purchase) -> Result<Vec<ImportLine>, Refusal> {
        let kinds = self.rng.below(MOST_VARIANTS.min(u64::from(purchase.units))) + 1;
        let drawn: Vec<&Choice> = (0..kinds).filter_map(|_| self.draw()).collect();
        let per_unit: Vec<&Choice> = drawn.iter().copied().cycle().take(purchase.units as usize).collect();
        let weights: Vec<u32> =
            per_unit.iter().map(|choice| u32::try_from(choice.price).unwrap_or(1)).collect();
        let paid = purchase.total.allocate(&weights).map_err(|_| {
            Refusal::new("import.invalid", Some("units"), "there is nothing to divide the total between")
        })?;
        // A unit's share may differ by a cent from that of the next of its kind: two lines then.
        let mut lines: BTreeMap<(&str, i64), (&Choice, i64)> = BTreeMap::new();
        for (choice, share) in per_unit.iter().zip(&paid) {
            lines.entry((&choice.sku, share.amount)).or_insert((choice, 0)).1 += 1;
        }
        lines
            .into_iter()
            .map(|((_, amount), (choice, quantity))| {
                let unit_price = Money::new(amount, purchase.total.currency);
                Ok(ImportLine {
                    variant_id: Some(choice.variant_id),
                    sku: choice.sku.clone(),
                    title: choice.title.clone(),
                    quantity,
                    unit_price,
                    total: unit_price.times(quantity).map_err(|_| Refusal::missing("total"))?,
                })
            })
            .collect()
    }

    fn draw(&self) -> Option<&Choice> {
        let index = self.rng.below(self.choices.len() as u64);
        self.choices.get(usize::try_from(index).unwrap_or(0))
    }
}

/// Each customer with the day of the first purchase and the number of purchases.
pub(super) fn customers() -> anyhow::Result<Vec<(u32, Date, u32)>> {
    let mut found: HashMap<u32, (Date, u32)> = HashMap::new();
    for purchase in published() {
        let purchase = purchase?;
        let entry = found.entry(purchase.customer).or_insert((purchase.day, 0));
        entry.0 = entry.0.min(purchase.day);
        entry.1 += 1;
    }
    let mut customers: Vec<_> =
        found.into_iter().map(|(customer, (day, count))| (customer, day, count)).collect();
    customers.sort_unstable();
    Ok(customers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::catalogue;

    #[test]
    fn the_cohort_is_whole() {
        let purchases: Vec<Purchase> = published().collect::<Result<_, _>>().unwrap();
        assert_eq!(purchases.len(), 69_659);
        assert_eq!(customers().unwrap().len(), 23_570);
        assert_eq!(purchases[0].total.to_string(), "11.77 USD");
    }

    #[test]
    fn orders_keep_units_and_total_to_the_cent() {
        let products = catalogue().unwrap();
        let mut orders = Orders::new(&products);
        let mut names = std::collections::HashSet::new();
        let mut sum = 0;
        for (place, purchase) in published().enumerate() {
            let purchase = purchase.unwrap();
            let record = orders.record(place, purchase);
            let order = record.content.unwrap();
            assert!(names.insert(order.external_id.clone()), "{}", order.external_id);
            let lines: i64 = order.lines.iter().map(|line| line.total.amount).sum();
            let units: i64 = order.lines.iter().map(|line| line.quantity).sum();
            assert_eq!((lines, units), (purchase.total.amount, i64::from(purchase.units)));
            assert_eq!(order.totals.total, purchase.total);
            assert_eq!(order.placed_at.date(), purchase.day);
            sum += purchase.total.amount;
        }
        assert_eq!(sum, 250_031_563);
    }

    #[test]
    fn the_same_seed_draws_the_same_lines() {
        let products = catalogue().unwrap();
        let draw = || {
            let mut orders = Orders::new(&products);
            let draw = |(place, purchase): (usize, anyhow::Result<Purchase>)| {
                orders.record(place, purchase.unwrap()).content.unwrap()
            };
            published().enumerate().take(50).map(draw).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
    }
}
