//! History from elsewhere: what is taken over, and what is refused and why.

use contracts::import::Verdict;
use contracts::orders::{ImportLine, ImportOrder, Totals};
use contracts::payments::PaymentStatus;
use kernel::Money;

use crate::model::order::{Fulfilment, Imported, Line, Status, payment_status};

const MAX_LINES: usize = 1_000;
const MAX_QUANTITY: i64 = 1_000_000;
const MAX_TEXT: usize = 500;
const MAX_EXTERNAL_ID: usize = 200;

/// The code of every refusal.
pub(crate) const INVALID: &str = "orders.import_invalid";

/// What an order from elsewhere is here, under `number`.
///
/// # Errors
/// The verdict that names the field that is to blame.
pub(crate) fn check(order: &ImportOrder, number: String) -> Result<Imported, Verdict> {
    let (status, payment, fulfilment) = statuses(order)?;
    text("external_id", &order.external_id, 1, MAX_EXTERNAL_ID)?;
    if order.lines.is_empty() || order.lines.len() > MAX_LINES {
        return Err(refused("lines", format!("an order has 1 to {MAX_LINES} lines")));
    }
    let lines = order
        .lines
        .iter()
        .map(|imported| line(imported, &order.totals, fulfilment))
        .collect::<Result<Vec<Line>, Verdict>>()?;
    totals(&order.totals, &lines)?;
    Ok(Imported {
        order_id: order.order_id,
        external_id: order.external_id.clone(),
        number,
        customer_id: order.customer_id,
        status,
        payment_status: payment,
        fulfilment_status: fulfilment,
        lines,
        totals: order.totals,
        placed_at: order.placed_at,
    })
}

fn statuses(order: &ImportOrder) -> Result<(Status, PaymentStatus, Fulfilment), Verdict> {
    let status = order
        .status
        .parse()
        .ok()
        .filter(|status| matches!(status, Status::Completed | Status::Cancelled))
        .ok_or_else(|| refused("status", "history is completed or cancelled"))?;
    let payment = payment_status(&order.payment_status)
        .ok()
        .filter(|status| {
            use PaymentStatus as P;
            matches!(status, P::Captured | P::Refunded | P::PartiallyRefunded | P::Voided | P::Failed)
        })
        .ok_or_else(|| {
            let known = "captured, refunded, partially_refunded, voided or failed";
            refused("payment_status", format!("the payment of history is {known}"))
        })?;
    let fulfilment = order.fulfilment_status.parse().map_err(|_| {
        refused("fulfilment_status", "fulfilled, unfulfilled or partially_fulfilled are the words for it")
    })?;
    Ok((status, payment, fulfilment))
}

fn line(imported: &ImportLine, order: &Totals, fulfilment: Fulfilment) -> Result<Line, Verdict> {
    text("lines.title", &imported.title, 1, MAX_TEXT)?;
    text("lines.sku", &imported.sku, 0, MAX_TEXT)?;
    if !(1..=MAX_QUANTITY).contains(&imported.quantity) {
        return Err(refused("lines.quantity", format!("a quantity is 1 to {MAX_QUANTITY}")));
    }
    for (field, money) in [("lines.unit_price", imported.unit_price), ("lines.total", imported.total)] {
        amount(field, money, order)?;
    }
    Ok(Line {
        variant_id: imported.variant_id,
        product_id: None,
        seller_id: None,
        sku: imported.sku.clone(),
        title: imported.title.clone(),
        brand: String::new(),
        category: None,
        quantity: imported.quantity,
        fulfilled: if fulfilment == Fulfilment::Fulfilled { imported.quantity } else { 0 },
        unit_price: imported.unit_price,
        total: imported.total,
        tax: Money::zero(imported.total.currency),
        tax_basis_points: 0,
    })
}

/// Line totals are taken as the old system had them, discounts of lines included; only sums are
/// insisted on.
fn totals(totals: &Totals, lines: &[Line]) -> Result<(), Verdict> {
    let parts = [
        ("totals.subtotal", totals.subtotal),
        ("totals.discount", totals.discount),
        ("totals.shipping", totals.shipping),
        ("totals.tax", totals.tax),
        ("totals.total", totals.total),
    ];
    for (field, money) in parts {
        amount(field, money, totals)?;
    }
    let overflow = |_| refused("totals", "the amounts are too large to add up");
    let sum = Money::sum(totals.total.currency, lines.iter().map(|line| line.total)).map_err(overflow)?;
    if sum != totals.subtotal {
        return Err(refused(
            "totals.subtotal",
            format!("the lines add up to {sum}, the subtotal says {}", totals.subtotal),
        ));
    }
    let due =
        totals.subtotal.minus(totals.discount).and_then(|net| net.plus(totals.shipping)).map_err(overflow)?;
    if due != totals.total {
        return Err(refused(
            "totals.total",
            format!("subtotal less discount plus shipping is {due}, the total says {}", totals.total),
        ));
    }
    Ok(())
}

fn amount(field: &str, money: Money, order: &Totals) -> Result<(), Verdict> {
    if money.currency != order.total.currency {
        return Err(refused(field, "an order has one currency"));
    }
    if money.amount < 0 {
        return Err(refused(field, "an amount cannot be negative"));
    }
    Ok(())
}

fn text(field: &str, text: &str, least: usize, most: usize) -> Result<(), Verdict> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(refused(field, format!("this takes {least} to {most} characters, there are {length}")));
    }
    Ok(())
}

fn refused(field: &str, detail: impl Into<String>) -> Verdict {
    Verdict::refused(INVALID, Some(field), detail)
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, OrderId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    fn order() -> ImportOrder {
        let line = |quantity, price: i64| ImportLine {
            variant_id: None,
            sku: String::new(),
            title: "CD".into(),
            quantity,
            unit_price: eur(price),
            total: eur(price * quantity),
        };
        ImportOrder {
            order_id: OrderId::from_uuid(Uuid::from_u128(1)),
            external_id: "1042".into(),
            customer_id: None,
            placed_at: Timestamp::from_seconds(852_076_800),
            status: "completed".into(),
            payment_status: "captured".into(),
            fulfilment_status: "fulfilled".into(),
            lines: vec![line(1, 1_177), line(2, 500)],
            totals: Totals {
                subtotal: eur(2_177),
                discount: eur(177),
                shipping: eur(300),
                tax: eur(0),
                total: eur(2_300),
            },
        }
    }

    #[test]
    fn history_is_taken_over_as_it_was() {
        let imported = check(&order(), "S-1".into()).unwrap();
        assert_eq!(imported.totals, order().totals);
        assert_eq!(imported.placed_at, order().placed_at);
        assert!(imported.lines.iter().all(|line| line.fulfilled == line.quantity));
    }

    #[test]
    fn each_refusal_names_its_field() {
        type Damage = fn(&mut ImportOrder);
        let cases: [(&str, Damage); 12] = [
            ("status", |order| order.status = "placed".into()),
            ("payment_status", |order| order.payment_status = "authorized".into()),
            ("fulfilment_status", |order| order.fulfilment_status = "sent".into()),
            ("external_id", |order| order.external_id.clear()),
            ("lines", |order| order.lines.clear()),
            ("lines.title", |order| order.lines[0].title.clear()),
            ("lines.quantity", |order| order.lines[0].quantity = 0),
            ("lines.total", |order| order.lines[0].total = Money::new(1_177, Currency::USD)),
            ("lines.unit_price", |order| order.lines[0].unit_price = eur(-1)),
            ("totals.subtotal", |order| order.totals.subtotal = eur(2_176)),
            ("totals.total", |order| order.totals.total = eur(2_301)),
            ("totals.discount", |order| order.totals.discount = eur(-1)),
        ];
        for (expected, damage) in cases {
            let mut order = order();
            damage(&mut order);
            let Err(Verdict::Refused { field, code, .. }) = check(&order, String::new()) else {
                panic!("{expected} was taken");
            };
            assert_eq!((field.as_deref(), code.as_str()), (Some(expected), INVALID));
        }
    }

    #[test]
    fn amounts_that_cannot_be_added_up_are_refused() {
        let mut order = order();
        order.lines[0].total = eur(i64::MAX);
        order.lines[1].total = eur(i64::MAX);
        assert!(matches!(check(&order, String::new()), Err(Verdict::Refused { .. })));
    }
}
