//! Whether a shop kept its word: what buyers remember, held against what every service says and stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use database::{Connection, Database};
use kernel::{OrderId, PaymentId};
use serde_json::Value;
use uuid::Uuid;

use super::buyers::{self, Attempt, Memory, Outcome, quantities};
use crate::api::Api;
use crate::journey::sign_in;
use crate::shop::{STAFF, Shop};

/// For how long a shop may take to end what was begun, once nobody asks for anything.
const SETTLING: Duration = Duration::from_secs(120);

/// What an audit that found nothing wrong has looked at.
#[derive(Debug, Default)]
pub struct Audit {
    /// Orders that exist, with their lines, totals and payment.
    pub orders: usize,
    /// Orders of these that were cancelled.
    pub cancelled: usize,
    /// Payments, those that came to nothing included.
    pub payments: usize,
    /// What was taken and not given back, in minor units.
    pub taken: i64,
    /// How long it took until nothing was half done any more.
    pub settled_after: Duration,
}

/// Waits until nothing is half done, then fails with everything that is not as it should be.
///
/// The shop must run and be left alone.
pub async fn audit(shop: &Shop, memory: &Memory) -> Audit {
    let tables = Tables::open(shop).await;
    let settled_after = settle(&tables).await;
    let staff = sign_in(&shop.api, STAFF.0, STAFF.1).await;
    let books = Books::read(&shop.api, &staff.access).await;
    let mut findings = memory.wrong.clone();
    orders(&shop.api, &staff.access, memory, &books, &mut findings).await;
    histories(&shop.api, memory, &books, &mut findings).await;
    charges(&tables, memory, &books, &mut findings).await;
    stock(&shop.api, &tables, memory, &books, &mut findings).await;
    ledgers(&tables, &books, &mut findings).await;
    told(&tables, &books, &mut findings).await;
    let shown = findings.iter().take(30).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(findings.is_empty(), "{} findings, the first of them:\n  {shown}", findings.len());
    Audit {
        orders: books.orders.len(),
        cancelled: books.orders.values().filter(|order| is_cancelled(order)).count(),
        payments: books.payments.len(),
        taken: books.payments.iter().map(net).sum(),
        settled_after,
    }
}

/// The tables of the services that take part in a purchase.
struct Tables {
    orders: Database,
    catalog: Database,
    payments: Database,
    analytics: Database,
    feedback: Database,
    sync: Database,
}

impl Tables {
    async fn open(shop: &Shop) -> Self {
        Self {
            orders: shop.database("orders").await,
            catalog: shop.database("catalog").await,
            payments: shop.database("payments").await,
            analytics: shop.database("analytics").await,
            feedback: shop.database("feedback").await,
            sync: shop.database("sync").await,
        }
    }

    /// What is still under way, in words.
    async fn unfinished(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |what: &str, count: i64| {
            if count != 0 {
                found.push(format!("{count} {what}"));
            }
        };
        let checkouts = "FROM checkouts WHERE stage NOT IN ('done', 'undone')";
        note("checkouts have not ended", count(&self.orders, checkouts).await);
        let held = "FROM reservations WHERE state = 'held'";
        note("reservations are held", count(&self.catalog, held).await);
        note("calls are not answered", count(&self.payments, "FROM attempts WHERE ended_at IS NULL").await);
        let open = "FROM payments WHERE status NOT IN \
                    ('captured', 'partially_refunded', 'refunded', 'voided', 'failed')";
        note("payments are not certain", count(&self.payments, open).await);
        let refunds = "FROM refunds WHERE status NOT IN ('succeeded', 'failed')";
        note("refunds are not certain", count(&self.payments, refunds).await);
        // Upkeep is always due again.
        for (name, database) in [("orders", &self.orders), ("payments", &self.payments)] {
            let due = "FROM platform_due WHERE queue NOT LIKE '%.upkeep'";
            note(&format!("pieces of work are due in {name}"), count(database, due).await);
        }
        for (name, database) in [
            ("orders", &self.orders),
            ("analytics", &self.analytics),
            ("feedback", &self.feedback),
            ("sync", &self.sync),
        ] {
            note(&format!("events are parked in {name}"), count(database, "FROM bus_parked").await);
        }
        let outbox = |kind| format!("FROM platform_outbox WHERE kind = '{kind}'");
        let placed = count(&self.orders, &outbox("orders.order_placed.v1")).await;
        let changed = "FROM platform_outbox WHERE kind = 'orders.order_changed.v1' \
                       AND CAST(data AS text) LIKE '%cus\\_%' ESCAPE '\\'";
        let changed = count(&self.orders, changed).await;
        let counted = count(&self.analytics, "FROM events WHERE event = 'Order Completed'").await;
        note("orders have not reached analytics", placed - counted);
        let cancelled = count(&self.orders, &outbox("orders.order_cancelled.v1")).await;
        let counted = count(&self.analytics, "FROM events WHERE event = 'Order Cancelled'").await;
        note("cancellations have not reached analytics", cancelled - counted);
        let told = count(&self.sync, "FROM log WHERE kind = 'order.changed'").await;
        note("changes of orders have not reached sync", changed - told);
        let bought = count(&self.orders, "FROM orders WHERE customer_id IS NOT NULL").await;
        let noted = count(&self.feedback, "FROM purchases").await;
        note("purchases have not reached feedback", bought - noted);
        let told = count(&self.sync, "FROM log WHERE kind = 'order.placed'").await;
        note("orders have not reached sync", bought - told);
        if found.is_empty() {
            found = self.disagreements().await;
        }
        found
    }

    /// Orders that have not heard yet where their payment stands.
    async fn disagreements(&self) -> Vec<String> {
        let orders = statuses(&self.orders, "SELECT payment_id, payment_status FROM orders").await;
        let payments = statuses(&self.payments, "SELECT id, status FROM payments").await;
        let differ = orders.iter().filter(|(payment, told)| payments.get(payment) != Some(told));
        differ
            .map(|(id, told)| {
                format!("the order of {} says {told}, not {:?}", PaymentId::from_uuid(*id), payments.get(id))
            })
            .collect()
    }
}

async fn settle(tables: &Tables) -> Duration {
    let began = Instant::now();
    loop {
        let unfinished = tables.unfinished().await;
        if unfinished.is_empty() {
            return began.elapsed();
        }
        assert!(began.elapsed() < SETTLING, "after {SETTLING:?} this is still half done: {unfinished:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What the shop tells its staff.
struct Books {
    /// Orders by id.
    orders: BTreeMap<String, Value>,
    payments: Vec<Value>,
}

impl Books {
    async fn read(api: &Api, staff: &str) -> Self {
        let orders = pages(api, "/v1/admin/orders?limit=100", staff).await;
        let orders = orders.into_iter().map(|order| (text(&order, "id").to_owned(), order)).collect();
        Self { orders, payments: pages(api, "/v1/admin/payments?limit=100", staff).await }
    }

    fn sold(&self, variant: &str) -> i64 {
        let kept = self.orders.values().filter(|order| !is_cancelled(order));
        kept.filter_map(|order| quantities(&order["lines"]).get(variant).copied()).sum()
    }
}

/// Every order that was acknowledged is there as it was told, and every order there is was asked for, once.
async fn orders(api: &Api, staff: &str, memory: &Memory, books: &Books, findings: &mut Vec<String>) {
    let attempts: BTreeMap<&str, &Attempt> =
        memory.attempts.iter().map(|attempt| (attempt.key.as_str(), attempt)).collect();
    let mut seen = BTreeSet::new();
    for (id, order) in &books.orders {
        let full = api.get(&format!("/v1/admin/orders/{id}")).bearer(staff).expect(200).await;
        let key = text(&full.body, "note").to_owned();
        let Some(attempt) = attempts.get(key.as_str()) else {
            findings.push(format!("nobody asked for the order {id} ({key})"));
            continue;
        };
        if !seen.insert(key.clone()) {
            findings.push(format!("{key} became two orders"));
        }
        if quantities(&order["lines"]) != attempt.lines {
            findings.push(format!("{key} wanted {:?} and got {}", attempt.lines, order["lines"]));
        }
        let goods: i64 = amounts(&order["lines"], "/total").iter().sum();
        let [subtotal, shipping, total] =
            ["subtotal", "shipping", "total"].map(|name| amount(&order["totals"][name]));
        if goods != subtotal || subtotal + shipping != total {
            findings.push(format!("{key}: the totals of {id} do not add up: {}", order["totals"]));
        }
        match &attempt.outcome {
            Outcome::Refused(code) => findings.push(format!("{key} was refused ({code}) and is {id}")),
            Outcome::Ordered(told) if told["id"] != **id => {
                findings.push(format!("{key} was told of {} and is {id}", told["id"]));
            }
            Outcome::Ordered(_) | Outcome::Unknown => {}
        }
    }
    for attempt in &memory.attempts {
        let Outcome::Ordered(told) = &attempt.outcome else { continue };
        let (key, id) = (&attempt.key, text(told, "id"));
        let Some(order) = books.orders.get(id) else {
            // Told as pending, and came to nothing: the person refused the payment, or the provider did.
            if told["status"] != "pending" {
                findings.push(format!("{key}: the order {id}, which was acknowledged, is lost"));
            }
            continue;
        };
        for member in ["number", "lines", "totals"] {
            if order[member] != told[member] && !(member == "lines" && told["lines"].is_null()) {
                findings
                    .push(format!("{key}: {member} of {id} was {} and is {}", told[member], order[member]));
            }
        }
        if attempt.cancelled && !is_cancelled(order) {
            findings.push(format!("{key}: the cancellation of {id} was acknowledged and is lost"));
        }
    }
}

/// Customers see exactly their orders.
async fn histories(api: &Api, memory: &Memory, books: &Books, findings: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for email in &memory.customers {
        let access = buyers::access(api, email).await;
        for order in pages(api, "/v1/orders?limit=100", &access).await {
            let id = text(&order, "id").to_owned();
            if books.orders.get(&id).is_none_or(|known| known["version"] != order["version"]) {
                findings.push(format!("{email} sees {id} otherwise than staff"));
            }
            if !seen.insert(id.clone()) {
                findings.push(format!("{id} is in two histories"));
            }
        }
    }
    let theirs = books.orders.iter().filter(|(_, order)| !order["customer_id"].is_null());
    for (id, _) in theirs.filter(|(id, _)| !seen.contains(*id)) {
        findings.push(format!("{id} is in nobody's history"));
    }
}

/// What was charged is what was bought, by our books and by the provider's.
async fn charges(tables: &Tables, memory: &Memory, books: &Books, findings: &mut Vec<String>) {
    let provider = Provider::read(&tables.payments).await;
    let tokens: BTreeMap<&str, &str> = memory
        .attempts
        .iter()
        .filter_map(|attempt| match &attempt.outcome {
            Outcome::Ordered(told) => Some((text(told, "id"), attempt.token)),
            _ => None,
        })
        .collect();
    let mut of_order: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for payment in &books.payments {
        let (id, order) = (text(payment, "id"), text(payment, "order_id"));
        of_order.entry(order).or_default().push(payment);
        let theirs = provider.payments.get(id);
        let returned = provider.refunds.get(id).copied().unwrap_or(0);
        let taken = match theirs.map(|(status, taken)| (status.as_str(), *taken)) {
            Some(("captured", taken)) => taken,
            // What was given back of money that then bounced stays in both columns of our books.
            Some(("capture_failed", _)) => returned,
            _ => 0,
        };
        if net(payment) != taken - returned {
            findings
                .push(format!("{id}: the provider took {taken} and gave {returned} back, we say {payment}"));
        }
        if theirs.is_some_and(|(status, _)| status == "authorized" || status == "requires_action") {
            findings.push(format!("{id}: money is still set aside at the provider"));
        }
        if !books.orders.contains_key(order) && net(payment) != 0 {
            findings.push(format!("{id}: {} were taken for {order}, which came to nothing", net(payment)));
        }
    }
    for known in provider.payments.keys() {
        if !books.payments.iter().any(|payment| payment["id"] == **known) {
            findings.push(format!("the provider knows of {known} and we do not"));
        }
    }
    for (id, order) in &books.orders {
        let payments = of_order.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let [payment] = payments else {
            findings.push(format!("{id} has {} payments", payments.len()));
            continue;
        };
        let token = tokens.get(id.as_str()).copied().unwrap_or_default();
        let expected = match (is_cancelled(order), token) {
            // What the provider takes back later is gone, and what it does not give back later is kept.
            (_, "tok_capture_fails") => 0,
            (true, "tok_refund_fails") => net(payment),
            (true, _) => 0,
            (false, _) => {
                amount(&order["totals"]["total"]) - memory.returned.get(id).copied().unwrap_or_default()
            }
        };
        if net(payment) != expected {
            findings.push(format!("{id} ({token}): {expected} should have been taken, and it is {payment}"));
        }
        if order["payment_status"] != payment["status"] {
            findings.push(format!("{id} ({token}): {} and {}", order["payment_status"], payment["status"]));
        }
    }
}

/// The sandbox's own books: it is a provider of its own, whose tables nothing else reads.
struct Provider {
    /// Status and what was taken, by our id.
    payments: BTreeMap<String, (String, i64)>,
    /// What was given back, by our payment's id.
    refunds: BTreeMap<String, i64>,
}

impl Provider {
    async fn read(database: &Database) -> Self {
        let mut reader = database.read_primary().await.unwrap();
        let payments: Vec<(Uuid, String, i64)> =
            reader.fetch_all("SELECT reference, status, captured FROM sandbox_payments", &[]).await.unwrap();
        let refunds: Vec<(Uuid, i64)> = reader
            .fetch_all(
                "SELECT payment, CAST(SUM(amount) AS bigint) FROM sandbox_refunds \
                 WHERE status = 'succeeded' GROUP BY payment",
                &[],
            )
            .await
            .unwrap();
        let name = |id| PaymentId::from_uuid(id).to_string();
        Self {
            payments: payments.into_iter().map(|(id, status, taken)| (name(id), (status, taken))).collect(),
            refunds: refunds.into_iter().map(|(id, amount)| (name(id), amount)).collect(),
        }
    }
}

/// What there was is what is left and what was sold.
async fn stock(api: &Api, tables: &Tables, memory: &Memory, books: &Books, findings: &mut Vec<String>) {
    let mut shown = BTreeMap::new();
    for product in pages(api, "/v1/products?limit=50", "").await {
        for variant in product["variants"].as_array().unwrap() {
            shown.insert(text(variant, "id").to_owned(), variant["available"].as_i64().unwrap());
        }
    }
    let mut reader = tables.catalog.read_primary().await.unwrap();
    for (variant, initial) in &memory.initial {
        let (available, sold) = (shown[variant], books.sold(variant));
        if available < 0 || available + sold != *initial {
            findings.push(format!("{variant}: of {initial}, {sold} were sold and {available} are left"));
        }
        for (kind, expected) in [("stock", available), ("sold", sold)] {
            let balances: Vec<(i64, i64)> = reader
                .fetch_all(
                    "SELECT credits_posted - debits_posted, credits_pending + debits_pending \
                     FROM ledger_accounts WHERE unit = $1 AND kind = $2",
                    &database::params![variant.as_str(), kind],
                )
                .await
                .unwrap();
            if balances != [(expected, 0)] {
                findings.push(format!("{variant}: {kind} should hold {expected}, not {balances:?}"));
            }
        }
    }
}

/// Both ledgers add up, nothing is pending in them, and the provider owes what was taken.
async fn ledgers(tables: &Tables, books: &Books, findings: &mut Vec<String>) {
    for database in [&tables.catalog, &tables.payments] {
        let mut reader = database.read_primary().await.unwrap();
        let wrong = ledger::verify(&mut reader).await.unwrap();
        findings.extend(wrong.iter().map(|wrong| format!("the ledger of {}: {wrong:?}", database.name())));
        let pending = "FROM ledger_accounts WHERE debits_pending <> 0 OR credits_pending <> 0";
        if count_with(&mut reader, pending).await != 0 {
            findings.push(format!("something is pending in the ledger of {}", database.name()));
        }
    }
    let mut reader = tables.payments.read_primary().await.unwrap();
    let (owed,): (Option<i64>,) = reader
        .fetch_one(
            "SELECT CAST(SUM(debits_posted - credits_posted) AS bigint) FROM ledger_accounts \
             WHERE kind LIKE 'receivable%'",
            &[],
        )
        .await
        .unwrap();
    let taken: i64 = books.payments.iter().map(net).sum();
    if owed.unwrap_or(0) != taken {
        findings.push(format!("the provider owes {owed:?} by the ledger, and {taken} were taken"));
    }
}

/// Every order reached whoever is told of orders, once.
async fn told(tables: &Tables, books: &Books, findings: &mut Vec<String>) {
    let mut reader = tables.analytics.read_primary().await.unwrap();
    let (orders, total, cancelled): (Option<i64>, Option<i64>, Option<i64>) = reader
        .fetch_one(
            "SELECT CAST(SUM(orders) AS bigint), CAST(SUM(total) AS bigint), \
             CAST(SUM(cancelled_orders) AS bigint) FROM revenue_daily",
            &[],
        )
        .await
        .unwrap();
    let counted = [orders, total, cancelled].map(Option::unwrap_or_default);
    let expected = [
        books.orders.len() as i64,
        books.orders.values().map(|order| amount(&order["totals"]["total"])).sum(),
        books.orders.values().filter(|order| is_cancelled(order)).count() as i64,
    ];
    if counted != expected {
        findings.push(format!("analytics counted {counted:?} (orders, total, cancelled), not {expected:?}"));
    }
    let mut reader = tables.feedback.read_primary().await.unwrap();
    let noted: Vec<(Uuid,)> = reader.fetch_all("SELECT order_id FROM purchases", &[]).await.unwrap();
    let noted: BTreeSet<String> = noted.into_iter().map(|(id,)| OrderId::from_uuid(id).to_string()).collect();
    let theirs = books.orders.iter().filter(|(_, order)| !order["customer_id"].is_null());
    let theirs: BTreeSet<String> = theirs.map(|(id, _)| id.clone()).collect();
    if noted != theirs {
        findings.push(format!("feedback noted {} purchases of {}", noted.len(), theirs.len()));
    }
    let mut reader = tables.sync.read_primary().await.unwrap();
    let lines: Vec<(String, String)> =
        reader.fetch_all("SELECT kind, data FROM log WHERE topic = 'orders'", &[]).await.unwrap();
    let mut seen = BTreeSet::new();
    for (kind, data) in lines {
        let data: Value = serde_json::from_str(&data).unwrap();
        if !seen.insert((kind.clone(), data["order_id"].to_string(), data["version"].to_string())) {
            findings.push(format!("sync told {kind} twice: {data}"));
        }
    }
}

async fn pages(api: &Api, path: &str, token: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let path = cursor.map_or_else(|| path.to_owned(), |cursor| format!("{path}&cursor={cursor}"));
        let call = api.get(&path);
        let page = if token.is_empty() { call } else { call.bearer(token) }.expect(200).await;
        found.extend(page.body["data"].as_array().unwrap().iter().cloned());
        cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return found;
        }
    }
}

async fn statuses(database: &Database, sql: &str) -> BTreeMap<Uuid, String> {
    let mut reader = database.read_primary().await.unwrap();
    reader.fetch_all::<(Uuid, String)>(sql, &[]).await.unwrap().into_iter().collect()
}

async fn count(database: &Database, from: &str) -> i64 {
    count_with(&mut database.read_primary().await.unwrap(), from).await
}

async fn count_with(connection: &mut Connection, from: &str) -> i64 {
    let (count,): (i64,) = connection.fetch_one(&format!("SELECT COUNT(*) {from}"), &[]).await.unwrap();
    count
}

fn is_cancelled(order: &Value) -> bool {
    order["status"] == "cancelled"
}

/// What a payment took and did not give back.
fn net(payment: &Value) -> i64 {
    amount(&payment["captured"]) - amount(&payment["refunded"])
}

fn amount(money: &Value) -> i64 {
    money["amount"].as_i64().unwrap_or_default()
}

fn amounts(lines: &Value, pointer: &str) -> Vec<i64> {
    lines.as_array().into_iter().flatten().map(|line| amount(line.pointer(pointer).unwrap())).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}
