//! Shopify's order export: one row per line item, the order's own cells in its first row only.

use std::io::BufRead;

use contracts::orders::{ImportLine, ImportOrder, Totals};
use kernel::{Currency, Money};

use super::csv_rows::{Cells, grouped};
use super::{ImportPurchase, Records};
use crate::import::record::{count, currency, moment, money};
use crate::import::{Refusal, order_id, variant_id};

/// Orders whose buyers are known by their address only.
pub(super) fn orders(reader: impl BufRead + Send + 'static) -> anyhow::Result<Records<ImportPurchase>> {
    let required =
        ["Name", "Created at", "Currency", "Total", "Lineitem quantity", "Lineitem name", "Lineitem price"];
    grouped(reader, "Name", &required, |rows| {
        let head = rows.first().ok_or_else(|| Refusal::missing("Name"))?;
        let unit = currency("Currency", head.required("Currency")?)?;
        let amount = |field: &str| money(field, head.optional(field).unwrap_or("0"), unit);
        // `Name` is unique within one shop, `Id` everywhere.
        let external_id = head.optional("Id").map_or_else(|| head.required("Name"), Ok)?;
        let placed_at = moment("Created at", head.required("Created at")?)?;
        let cancelled = head.optional("Cancelled at").is_some();
        let lines: Vec<ImportLine> = rows
            .iter()
            .filter(|row| row.optional("Lineitem name").is_some())
            .map(|row| line(row, unit))
            .collect::<Result<_, _>>()?;
        let subtotal = Money::sum(unit, lines.iter().map(|line| line.total)).map_err(|_| too_large())?;
        let order = ImportOrder {
            order_id: order_id(external_id, placed_at),
            external_id: external_id.to_owned(),
            customer_id: None,
            placed_at,
            status: if cancelled { "cancelled" } else { "completed" }.to_owned(),
            payment_status: payment_status(head.get("Financial Status"))?.to_owned(),
            fulfilment_status: fulfilment_status(head.get("Fulfillment Status"))?.to_owned(),
            totals: totals(subtotal, amount("Shipping")?, amount("Taxes")?, amount("Total")?)?,
            lines,
        };
        Ok(ImportPurchase { order, buyer_email: head.optional("Email").map(str::to_lowercase) })
    })
}

/// Shopify's `Subtotal` is after discounts, and its taxes may be inside or on top. What was paid and
/// what the lines cost are certain, so the discount is what lies between them, and tax on top counts
/// with shipping as a charge.
fn totals(subtotal: Money, shipping: Money, tax: Money, total: Money) -> Result<Totals, Refusal> {
    let off =
        |charges: Money| subtotal.plus(charges).and_then(|sum| sum.minus(total)).map_err(|_| too_large());
    let mut charges = shipping;
    let mut discount = off(charges)?;
    if discount.amount < 0 {
        charges = shipping.plus(tax).map_err(|_| too_large())?;
        discount = off(charges)?;
    }
    if discount.amount < 0 {
        return Err(Refusal::new(
            "import.totals_differ",
            Some("Total"),
            format!("the total {total} is more than lines, shipping and taxes come to"),
        ));
    }
    Ok(Totals { subtotal, discount, shipping: charges, tax, total })
}

fn too_large() -> Refusal {
    Refusal::new("import.invalid", Some("Total"), "the amounts are too large")
}

fn line(row: &Cells, unit: Currency) -> Result<ImportLine, Refusal> {
    let quantity = count("Lineitem quantity", row.required("Lineitem quantity")?)?;
    let unit_price = money("Lineitem price", row.required("Lineitem price")?, unit)?;
    Ok(ImportLine {
        variant_id: row.optional("Lineitem sku").map(variant_id),
        sku: row.get("Lineitem sku").to_owned(),
        title: row.required("Lineitem name")?.to_owned(),
        quantity,
        unit_price,
        total: unit_price.times(quantity).map_err(|_| too_large())?,
    })
}

fn payment_status(word: &str) -> Result<&'static str, Refusal> {
    match word {
        "paid" | "" => Ok("captured"),
        "refunded" => Ok("refunded"),
        "partially_refunded" => Ok("partially_refunded"),
        "voided" => Ok("voided"),
        "pending" | "authorized" | "partially_paid" => Ok("failed"),
        other => Err(Refusal::invalid("Financial Status", other, "a status that Shopify documents")),
    }
}

fn fulfilment_status(word: &str) -> Result<&'static str, Refusal> {
    match word {
        "fulfilled" => Ok("fulfilled"),
        "partial" => Ok("partially_fulfilled"),
        "unfulfilled" | "restocked" | "" => Ok("unfulfilled"),
        other => Err(Refusal::invalid("Fulfillment Status", other, "a status that Shopify documents")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at,Id\n";

    fn read(rows: &str) -> Vec<Result<ImportPurchase, Refusal>> {
        let text = format!("{HEADER}{rows}");
        orders(std::io::Cursor::new(text)).unwrap().map(|record| record.content).collect()
    }

    #[test]
    fn an_order_of_two_lines_with_a_discount() {
        let read = read(
            "#1001,Ada@Example.com,paid,fulfilled,EUR,45.00,5.00,7.98,50.00,3.00,2026-01-02 10:00:00 +0100,1,Balm,24.00,B-1,,900\n\
             #1001,,,,,,,,,,,2,Oil,12.00,,,\n",
        );
        let purchase = read[0].as_ref().unwrap();
        assert_eq!(purchase.buyer_email.as_deref(), Some("ada@example.com"));
        let order = &purchase.order;
        assert_eq!(order.external_id, "900");
        assert_eq!(order.totals.subtotal.amount, 4800);
        assert_eq!(order.totals.discount.amount, 300);
        assert_eq!(order.totals.total.amount, 5000);
        assert_eq!(order.lines[1].variant_id, None);
        assert_eq!(order.placed_at.to_string(), "2026-01-02T09:00:00.000000Z");
    }

    #[test]
    fn taxes_on_top_are_a_charge() {
        let read =
            read("#2,,paid,,USD,10.00,0.00,0.80,10.80,0.00,2026-01-02 10:00:00 -0500,1,Soap,10.00,S,,\n");
        let totals = read[0].as_ref().unwrap().order.totals;
        assert_eq!((totals.discount.amount, totals.shipping.amount, totals.total.amount), (0, 80, 1080));
    }

    #[test]
    fn amounts_that_cannot_be_are_refused() {
        let read =
            read("#3,,paid,,USD,10.00,0.00,0.00,99.00,0.00,2026-01-02 10:00:00 -0500,1,Soap,10.00,S,,\n");
        assert_eq!(read[0].as_ref().unwrap_err().code, "import.totals_differ");
    }
}
