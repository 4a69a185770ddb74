//! What must be true when everything has settled.

use std::collections::{BTreeMap, HashMap};

use database::{Connection, Error, FromRow, Row, params};
use kernel::{OrderId, Timestamp, Uuid};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::people::Receipt;
use super::process::Process;
use super::trace::Counts;
use super::world::{GOODS, variant};

struct Checkout {
    id: Uuid,
    order: OrderId,
    payment: Uuid,
    key: Option<Vec<u8>>,
    stage: String,
    failure: Option<String>,
    total: i64,
    lines: Value,
}

struct Order {
    status: String,
    payment_status: String,
    fulfilment: String,
    refunded: i64,
    total: i64,
    version: i64,
}

#[derive(Debug)]
struct Payment {
    amount: i64,
    captured: i64,
    refunded: i64,
    stage: String,
    status: String,
}

/// A payment as its provider knows it.
#[derive(Debug)]
struct Provided {
    status: String,
    captured: i64,
    refunded: i64,
}

struct Entry {
    order: OrderId,
    sequence: i64,
    kind: String,
    at: Timestamp,
    actor: String,
    data: Value,
    hash: Vec<u8>,
}

/// What is written at the end, and what of it is wrong.
type Read = (Vec<String>, Vec<String>);

/// Reads the books of every service and of the provider, and compares them.
pub async fn read(process: &Process, receipts: &[Receipt], counts: &mut Counts) -> Result<Read, Error> {
    let mut books = Books::open(process).await?;
    for checkout in &books.checkouts {
        counts.checkouts += 1;
        match checkout.stage.as_str() {
            "done" => counts.paid += 1,
            _ => counts.undone += 1,
        }
    }
    counts.refunds += books.refunds;
    let lines = books.lines();
    books.checkouts_end();
    books.payments_agree();
    books.receipts_hold(receipts);
    books.stock_is_where_it_belongs();
    books.logs_are_whole();
    books.nothing_is_left(process).await?;
    Ok((lines, books.wrong))
}

struct Books {
    checkouts: Vec<Checkout>,
    orders: BTreeMap<OrderId, Order>,
    entries: Vec<Entry>,
    placed_events: HashMap<String, i64>,
    payments: BTreeMap<Uuid, Payment>,
    provided: BTreeMap<Uuid, Provided>,
    refunds: u64,
    /// The payments of which a refund failed.
    failed_refunds: Vec<Uuid>,
    /// Per unit: what lies on the shelf, what is sold, and what was delivered.
    stock: BTreeMap<String, [i64; 3]>,
    reservations: Vec<(Uuid, String)>,
    receivable: i64,
    wrong: Vec<String>,
}

impl Books {
    async fn open(process: &Process) -> Result<Self, Error> {
        let mut orders = process.orders.read_primary().await?;
        let mut payments = process.payments.read_primary().await?;
        let mut catalog = process.catalog.read_primary().await?;
        let none = params![];
        let events = "SELECT subject, COUNT(*) FROM platform_outbox WHERE kind = 'orders.order_placed.v1' GROUP BY subject";
        let placed: Vec<(String, i64)> = orders.fetch_all(events, &none).await?;
        let order_rows: Vec<(OrderId, Order)> = keyed(&mut orders, "SELECT * FROM orders").await?;
        let payment_rows = keyed(&mut payments, "SELECT * FROM payments").await?;
        let provided = "SELECT p.reference AS id, p.status, p.captured, (SELECT COALESCE(SUM(r.amount), 0) \
             FROM sandbox_refunds r WHERE r.payment = p.reference AND r.status = 'succeeded') AS refunded \
             FROM sandbox_payments p";
        let provided = keyed(&mut payments, provided).await?;
        let (refunds,): (i64,) = payments.fetch_one("SELECT COUNT(*) FROM refunds", &none).await?;
        let failed = "SELECT payment_id FROM refunds WHERE status = 'failed'";
        let failed: Vec<(Uuid,)> = payments.fetch_all(failed, &none).await?;
        let sql = "SELECT COALESCE(SUM(debits_posted - credits_posted), 0) FROM ledger_accounts WHERE kind LIKE 'receivable:%'";
        let (receivable,): (i64,) = payments.fetch_one(sql, &none).await?;
        let sql = "SELECT unit, kind, credits_posted - debits_posted FROM ledger_accounts";
        let accounts: Vec<(String, String, i64)> = catalog.fetch_all(sql, &none).await?;
        let mut stock: BTreeMap<String, [i64; 3]> = BTreeMap::new();
        for (unit, kind, balance) in accounts {
            let row = stock.entry(unit).or_default();
            match kind.as_str() {
                "stock" => row[0] = balance,
                "sold" => row[1] = balance,
                _ => row[2] = -balance,
            }
        }
        let mut wrong = Vec::new();
        for (name, connection) in [("catalog", &mut catalog), ("payments", &mut payments)] {
            let found = ledger::verify(connection).await.map_err(|_| Error::NotFound)?;
            wrong.extend(found.into_iter().map(|found| format!("the ledger of {name}: {found:?}")));
        }
        Ok(Self {
            checkouts: orders.fetch_all("SELECT * FROM checkouts ORDER BY created_at, id", &none).await?,
            orders: order_rows.into_iter().collect(),
            entries: orders
                .fetch_all("SELECT * FROM order_events ORDER BY order_id, sequence", &none)
                .await?,
            placed_events: placed.into_iter().collect(),
            payments: payment_rows.into_iter().collect(),
            provided: provided.into_iter().collect(),
            refunds: u64::try_from(refunds).unwrap(),
            failed_refunds: failed.into_iter().map(|(payment,)| payment).collect(),
            stock,
            reservations: catalog.fetch_all("SELECT checkout_id, state FROM reservations", &none).await?,
            receivable,
            wrong,
        })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for checkout in &self.checkouts {
            let order = self
                .orders
                .get(&checkout.order)
                .map(|order| (&order.status, &order.payment_status, &order.fulfilment));
            lines.push(format!(
                "at the end: checkout {} of {} {:?}: order {} {order:?}, {:?}, provider {:?}",
                checkout.id,
                checkout.stage,
                checkout.failure,
                checkout.order,
                self.payments.get(&checkout.payment),
                self.provided.get(&checkout.payment)
            ));
        }
        lines.extend(self.stock.iter().map(|(unit, stock)| format!("at the end: {unit} {stock:?}")));
        lines
    }

    /// Every checkout ends as an order that is paid, or with everything given back.
    fn checkouts_end(&mut self) {
        let mut by_key: HashMap<&[u8], Vec<&Checkout>> = HashMap::new();
        for checkout in &self.checkouts {
            let order = self.orders.get(&checkout.order);
            let payment = self.payments.get(&checkout.payment);
            let name = format!("checkout {} ({})", checkout.id, checkout.stage);
            match checkout.stage.as_str() {
                "done" => {
                    match order {
                        None => self.wrong.push(format!("{name} is done without an order")),
                        Some(order) if order.status == "cancelled" => {
                            self.wrong.push(format!("{name} is done, and its order cancelled"));
                        }
                        Some(order) if order.total != checkout.total => {
                            self.wrong.push(format!("{name} and its order differ in their total"));
                        }
                        Some(_) => {}
                    }
                    match payment {
                        Some(payment) if payment.amount == checkout.total && payment.stage == "captured" => {
                            if payment.captured != checkout.total {
                                self.wrong.push(format!(
                                    "{name} was charged {} of {}",
                                    payment.captured, checkout.total
                                ));
                            }
                        }
                        // The provider took the money back afterwards.
                        Some(payment) if payment.stage == "capture_failed" => {}
                        payment => self.wrong.push(format!("{name} is done with {payment:?}")),
                    }
                }
                "undone" => {
                    if order.is_some_and(|order| order.status != "cancelled") {
                        self.wrong.push(format!("{name} was taken back, and its order stands"));
                    }
                    // A refund that the provider took back is for the staff to make good.
                    let owed = payment.is_some_and(|payment| payment.captured != payment.refunded);
                    if owed && !self.failed_refunds.contains(&checkout.payment) {
                        self.wrong.push(format!("{name} was taken back, and its money kept: {payment:?}"));
                    }
                }
                _ => self.wrong.push(format!("{name} never ends")),
            }
            if let Some(key) = &checkout.key
                && checkout.stage == "done"
            {
                by_key.entry(key).or_default().push(checkout);
            }
        }
        let twice = by_key.values().filter(|same| same.len() > 1);
        self.wrong.extend(twice.map(|same| format!("one request bought {} times", same.len())));
        let known: Vec<OrderId> = self.checkouts.iter().map(|checkout| checkout.order).collect();
        let strays = self.orders.keys().filter(|id| !known.contains(id));
        self.wrong.extend(strays.map(|id| format!("the order {id} has no checkout")));
    }

    /// The provider, the payments and the orders say the same about money.
    fn payments_agree(&mut self) {
        let wrong = &mut self.wrong;
        let mut owed = 0;
        for (id, payment) in &self.payments {
            let provided = self.provided.get(id);
            let same = match provided {
                None => matches!(payment.stage.as_str(), "not_done" | "created" | "failed"),
                Some(provided) => {
                    let captured = if provided.status == "capture_failed" {
                        payment.captured
                    } else {
                        provided.captured
                    };
                    provided.status == payment.stage
                        && captured == payment.captured
                        && provided.refunded == payment.refunded
                }
            };
            if !same {
                wrong.push(format!("the provider has {provided:?} where we have {payment:?}"));
            }
            if payment.refunded > payment.captured || payment.captured > payment.amount {
                wrong.push(format!("more was given back than taken, or taken than asked for: {payment:?}"));
            }
            if matches!(
                payment.status.as_str(),
                "created" | "requires_action" | "processing" | "authorized" | "unknown"
            ) {
                wrong.push(format!("a payment never ends: {payment:?}"));
            }
            owed += payment.captured - payment.refunded;
        }
        if owed != self.receivable {
            wrong.push(format!(
                "the ledger says that {} are owed to the shop, the payments {owed}",
                self.receivable
            ));
        }
        let strays = self.provided.keys().filter(|id| !self.payments.contains_key(id));
        wrong.extend(strays.map(|id| format!("the provider has a payment {id} that we have not")));
        for checkout in &self.checkouts {
            let (order, payment) = (self.orders.get(&checkout.order), self.payments.get(&checkout.payment));
            if let (Some(order), Some(payment)) = (order, payment)
                && (order.payment_status != payment.status || order.refunded != payment.refunded)
            {
                wrong.push(format!(
                    "the order {} says {} with {} given back, its payment {payment:?}",
                    checkout.order, order.payment_status, order.refunded
                ));
            }
        }
    }

    /// Whoever was told of an order has it.
    fn receipts_hold(&mut self, receipts: &[Receipt]) {
        let mut of_key: HashMap<u64, &str> = HashMap::new();
        for receipt in receipts {
            let order: OrderId = receipt.order.parse().unwrap();
            let known = self.checkouts.iter().any(|checkout| checkout.order == order);
            let stood = !matches!(receipt.status.as_str(), "pending" | "cancelled");
            if !known || stood && !self.orders.contains_key(&order) {
                self.wrong.push(format!("a person was told of an order that is not there: {receipt:?}"));
            }
            let first = of_key.entry(receipt.key).or_insert(&receipt.order);
            if *first != receipt.order {
                self.wrong.push(format!("the same request was answered with the orders {first} and {order}"));
            }
        }
    }

    /// What is sold is what orders that stand have bought; the rest lies on the shelf, held for nobody.
    fn stock_is_where_it_belongs(&mut self) {
        for (number, ..) in GOODS {
            let id = variant(number).to_string();
            let bought: i64 = self
                .checkouts
                .iter()
                .filter(|checkout| checkout.stage == "done")
                .flat_map(|checkout| checkout.lines.as_array().into_iter().flatten())
                .filter(|line| line["variant_id"] == json!(id))
                .map(|line| line["quantity"].as_i64().unwrap())
                .sum();
            let [shelf, sold, delivered] = self.stock.get(&id).copied().unwrap_or_default();
            if sold != bought || shelf + sold != delivered || shelf < 0 {
                self.wrong.push(format!(
                    "of {id} {delivered} were delivered, {shelf} lie there, {sold} count as sold, orders have {bought}"
                ));
            }
        }
        let held = self.reservations.iter().filter(|(_, state)| state == "held");
        self.wrong.extend(held.map(|(checkout, _)| format!("stock is held for {checkout} for ever")));
    }

    /// Every log is as it was written, and what it tells is what is stored.
    fn logs_are_whole(&mut self) {
        for (id, order) in &self.orders {
            let log: Vec<&Entry> = self.entries.iter().filter(|entry| entry.order == *id).collect();
            let mut hash = vec![0; 32];
            for (expected, entry) in (1..).zip(&log) {
                hash = entry.hash_after(&hash);
                if entry.sequence != expected || hash != entry.hash {
                    self.wrong.push(format!("the log of {id} is broken at {expected}"));
                    break;
                }
            }
            let told = replay(&log, order.total);
            let stored =
                (order.status.as_str(), order.payment_status.as_str(), order.refunded, order.version);
            if (told.0, told.1, told.2, told.3) != stored {
                self.wrong.push(format!("the log of {id} tells {told:?}, stored is {stored:?}"));
            }
            if self.placed_events.get(&id.to_string()) != Some(&1) {
                self.wrong.push(format!("others were not told of the order {id} once"));
            }
        }
    }

    /// Nobody waits for anything any more.
    async fn nothing_is_left(&mut self, process: &Process) -> Result<(), Error> {
        let due = "SELECT queue || ' ' || item_key || ', attempts: ' || attempts || ', claimed: ' || (claim IS NOT NULL) || ', due at: ' || due_at || ' ' || COALESCE(last_error, '') FROM platform_due WHERE item_key <> 'sweep'";
        let pending = "SELECT 'a pending transfer: ' || reference FROM ledger_transfers WHERE kind = 'pending' AND resolution IS NULL";
        let parked = "SELECT 'an event: ' || consumer || ' ' || last_error FROM bus_parked";
        let (orders, catalog, payments) = (&process.orders, &process.catalog, &process.payments);
        let questions = [
            (orders, due),
            (catalog, due),
            (payments, due),
            (catalog, pending),
            (payments, pending),
            (orders, parked),
            (payments, parked),
            (payments, "SELECT 'a call: ' || operation FROM attempts WHERE ended_at IS NULL"),
            (
                payments,
                "SELECT 'a refund: ' || status FROM refunds WHERE status NOT IN ('succeeded', 'failed')",
            ),
            (payments, "SELECT 'a notification: ' || kind FROM webhooks WHERE processed_at IS NULL"),
        ];
        for (database, question) in questions {
            let left: Vec<(String,)> = database.read_primary().await?.fetch_all(question, &params![]).await?;
            self.wrong.extend(left.into_iter().map(|(what,)| format!("left in {}: {what}", database.name())));
        }
        Ok(())
    }
}

/// Status, payment status, what was given back, and version, as the log tells them.
fn replay<'a>(log: &[&'a Entry], total: i64) -> (&'a str, &'static str, i64, i64) {
    let (mut status, mut payment) = ("", "");
    let mut refunds: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in log {
        let refund =
            || (entry.data["refund_id"].as_str().unwrap(), entry.data["amount"]["amount"].as_i64().unwrap());
        match entry.kind.as_str() {
            "order_placed" => (status, payment) = ("placed", "authorized"),
            "payment_captured" => payment = "captured",
            "payment_voided" => payment = "voided",
            "payment_failed" => payment = "failed",
            "order_completed" => status = "completed",
            "order_cancelled" => status = "cancelled",
            "refund_succeeded" | "refund_failed" => {
                let (id, amount) = refund();
                if entry.kind == "refund_succeeded" {
                    refunds.insert(id, amount);
                } else {
                    refunds.remove(id);
                }
                payment = match refunds.values().sum::<i64>() {
                    _ if payment == "failed" => "failed",
                    0 => "captured",
                    given if given < total => "partially_refunded",
                    _ => "refunded",
                };
            }
            _ => {}
        }
    }
    (status, payment, refunds.values().sum(), log.len() as i64)
}

impl Entry {
    /// SHA-256 of the hash before and of the entry as canonical JSON, worked out anew from the description.
    fn hash_after(&self, before: &[u8]) -> Vec<u8> {
        let content = json!({
            "order_id": self.order, "sequence": self.sequence, "type": self.kind, "at": self.at,
            "actor": self.actor, "data": self.data,
        });
        let mut text = String::new();
        canonical(&content, &mut text);
        Sha256::new().chain_update(before).chain_update(text).finalize().to_vec()
    }
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            text.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                text.push_str(&json!(name).to_string());
                text.push(':');
                canonical(member, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// A row with the column `id` taken out.
struct Keyed<K, T>(K, T);

async fn keyed<K, T>(connection: &mut Connection, sql: &str) -> Result<Vec<(K, T)>, Error>
where
    K: database::FromValue + Send,
    T: FromRow + Send,
{
    let rows: Vec<Keyed<K, T>> = connection.fetch_all(sql, &params![]).await?;
    Ok(rows.into_iter().map(|Keyed(key, row)| (key, row)).collect())
}

impl<K: database::FromValue, T: FromRow> FromRow for Keyed<K, T> {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("id")?, T::from_row(row)?))
    }
}

impl FromRow for Checkout {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let totals: Value = row.get("totals")?;
        Ok(Self {
            id: row.get("id")?,
            order: row.get("order_id")?,
            payment: row.get("payment_id")?,
            key: row.get("request_key")?,
            stage: row.get("stage")?,
            failure: row.get("failure")?,
            total: totals["total"]["amount"].as_i64().unwrap(),
            lines: row.get("lines")?,
        })
    }
}

impl FromRow for Order {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            status: row.get("status")?,
            payment_status: row.get("payment_status")?,
            fulfilment: row.get("fulfilment_status")?,
            refunded: row.get("refunded")?,
            total: row.get("total")?,
            version: row.get("version")?,
        })
    }
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            amount: row.get("amount")?,
            captured: row.get("captured")?,
            refunded: row.get("refunded")?,
            stage: row.get("stage")?,
            status: row.get("status")?,
        })
    }
}

impl FromRow for Provided {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            status: row.get("status")?,
            captured: row.get("captured")?,
            refunded: row.get("refunded")?,
        })
    }
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            order: row.get("order_id")?,
            sequence: row.get("sequence")?,
            kind: row.get("type")?,
            at: row.get("at")?,
            actor: row.get("actor")?,
            data: row.get("data")?,
            hash: row.get("hash")?,
        })
    }
}
