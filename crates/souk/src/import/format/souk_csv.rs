//! Souk's own shape as CSV: one row per variant, customer or order line; the other columns need to
//! be filled in the first row of a record only.

use std::io::BufRead;

use contracts::catalog::{ImportProduct, ImportSeller, ImportVariant};
use contracts::customers::Address;
use contracts::orders::{ImportLine, ImportOrder, Totals};
use kernel::Currency;

use super::csv_rows::{Cells, grouped};
use super::souk_json::Person;
use super::{ImportPerson, ImportPurchase, Records};
use crate::import::record::{count, currency, moment, money};
use crate::import::{Refusal, customer_id, order_id, product_id, seller_id, variant_id};

/// Columns: handle, title, description, brand, categories (`;`), seller, ingredients, images (`;`),
/// status, created_at, sku, variant_title, options (`Shade=Rosewood; Size=30 ml`), price, currency,
/// stock.
pub(super) fn products(
    reader: impl BufRead + Send + 'static,
    default: Currency,
) -> anyhow::Result<Records<ImportProduct>> {
    let required = ["handle", "title", "seller", "created_at", "sku", "price"];
    grouped(reader, "handle", &required, move |rows| {
        let head = first(rows)?;
        let seller = head.required("seller")?;
        let handle = head.required("handle")?;
        let variants = rows.iter().map(|row| variant(row, default)).collect::<Result<_, _>>()?;
        Ok(ImportProduct {
            product_id: product_id(handle),
            handle: handle.to_owned(),
            title: head.required("title")?.to_owned(),
            description: head.get("description").to_owned(),
            brand: head.get("brand").to_owned(),
            categories: head.list("categories", ';'),
            seller: ImportSeller { seller_id: seller_id(seller), name: seller.to_owned() },
            ingredients: head.optional("ingredients").map(str::to_owned),
            images: head.list("images", ';'),
            status: head.optional("status").unwrap_or("active").to_owned(),
            variants,
            created_at: moment("created_at", head.required("created_at")?)?,
        })
    })
}

fn variant(row: &Cells, default: Currency) -> Result<ImportVariant, Refusal> {
    let sku = row.required("sku")?;
    let unit = row.optional("currency").map_or(Ok(default), |code| currency("currency", code))?;
    let options = row
        .list("options", ';')
        .iter()
        .map(|option| {
            option
                .split_once('=')
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .ok_or_else(|| Refusal::invalid("options", option, "of the form Name=Value"))
        })
        .collect::<Result<_, _>>()?;
    Ok(ImportVariant {
        variant_id: variant_id(sku),
        sku: sku.to_owned(),
        title: row.optional("variant_title").unwrap_or("Default").to_owned(),
        options,
        price: money("price", row.required("price")?, unit)?,
        stock: row.optional("stock").map(|stock| count("stock", stock)).transpose()?,
    })
}

/// Columns: external_id, email, verified, password_hash, name, phone, locale, consents (`;`),
/// created_at, line1, line2, city, region, postal_code, country.
pub(super) fn people(reader: impl BufRead + Send + 'static) -> anyhow::Result<Records<ImportPerson>> {
    grouped(reader, "external_id", &["external_id", "email", "created_at"], |rows| {
        let head = first(rows)?;
        let name = head.optional("name").map(str::to_owned);
        let addresses =
            rows.iter().filter_map(|row| address(row, name.as_deref())).collect::<Result<_, _>>()?;
        let person = Person {
            external_id: head.required("external_id")?.to_owned(),
            email: head.required("email")?.to_owned(),
            verified: truth("verified", head.get("verified"))?,
            password_hash: head.optional("password_hash").map(str::to_owned),
            name,
            phone: head.optional("phone").map(str::to_owned),
            locale: head.optional("locale").map(str::to_owned),
            addresses,
            consents: head.list("consents", ';'),
            created_at: moment("created_at", head.required("created_at")?)?,
        };
        Ok(person.into_import())
    })
}

fn address(row: &Cells, name: Option<&str>) -> Option<Result<Address, Refusal>> {
    row.optional("line1")?;
    let read = || {
        Ok(Address {
            name: row.optional("recipient").or(name).unwrap_or_default().to_owned(),
            line1: row.get("line1").to_owned(),
            line2: row.optional("line2").map(str::to_owned),
            city: row.required("city")?.to_owned(),
            region: row.optional("region").map(str::to_owned),
            postal_code: row.optional("postal_code").map(str::to_owned),
            country: row.required("country")?.to_owned(),
        })
    };
    Some(read())
}

fn truth(field: &str, cell: &str) -> Result<bool, Refusal> {
    match cell {
        "true" | "yes" | "1" => Ok(true),
        "" | "false" | "no" | "0" => Ok(false),
        _ => Err(Refusal::invalid(field, cell, "true or false")),
    }
}

/// Columns: external_id, customer (its external_id), placed_at, status, payment_status,
/// fulfilment_status, currency, subtotal, discount, shipping, tax, total, sku, title, quantity,
/// unit_price, line_total.
pub(super) fn orders(
    reader: impl BufRead + Send + 'static,
    default: Currency,
) -> anyhow::Result<Records<ImportPurchase>> {
    let required = ["external_id", "placed_at", "subtotal", "total", "title", "quantity", "unit_price"];
    grouped(reader, "external_id", &required, move |rows| {
        let head = first(rows)?;
        let unit = head.optional("currency").map_or(Ok(default), |code| currency("currency", code))?;
        let amount = |field: &str| money(field, head.optional(field).unwrap_or("0"), unit);
        let external_id = head.required("external_id")?;
        let placed_at = moment("placed_at", head.required("placed_at")?)?;
        let order = ImportOrder {
            order_id: order_id(external_id, placed_at),
            external_id: external_id.to_owned(),
            customer_id: head.optional("customer").map(customer_id),
            placed_at,
            status: head.optional("status").unwrap_or("completed").to_owned(),
            payment_status: head.optional("payment_status").unwrap_or("captured").to_owned(),
            fulfilment_status: head.optional("fulfilment_status").unwrap_or("fulfilled").to_owned(),
            lines: rows.iter().map(|row| line(row, unit)).collect::<Result<_, _>>()?,
            totals: Totals {
                subtotal: amount("subtotal")?,
                discount: amount("discount")?,
                shipping: amount("shipping")?,
                tax: amount("tax")?,
                total: amount("total")?,
            },
        };
        Ok(ImportPurchase { order, buyer_email: None })
    })
}

fn line(row: &Cells, unit: Currency) -> Result<ImportLine, Refusal> {
    let unit_price = money("unit_price", row.required("unit_price")?, unit)?;
    let quantity = count("quantity", row.required("quantity")?)?;
    let total = match row.optional("line_total") {
        Some(text) => money("line_total", text, unit)?,
        None => unit_price
            .times(quantity)
            .map_err(|_| Refusal::invalid("quantity", row.get("quantity"), "a quantity that can be paid"))?,
    };
    Ok(ImportLine {
        variant_id: row.optional("sku").map(variant_id),
        sku: row.get("sku").to_owned(),
        title: row.required("title")?.to_owned(),
        quantity,
        unit_price,
        total,
    })
}

fn first(rows: &[Cells]) -> Result<&Cells, Refusal> {
    rows.first().ok_or_else(|| Refusal::new("import.unreadable", None, "the record has no row"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_two_variants() {
        let text = "handle,title,seller,created_at,sku,variant_title,options,price,currency,stock\n\
                    balm,Balm,Fjord,2026-01-01,B-1,4 g,Size=4 g,7.00,EUR,3\n\
                    ,,,,B-2,8 g,Size = 8 g,11,,\n";
        let mut records = products(text.as_bytes(), Currency::USD).unwrap();
        let product = records.next().unwrap().content.unwrap();
        assert_eq!(product.variants.len(), 2);
        assert_eq!(product.variants[0].price.to_string(), "7.00 EUR");
        assert_eq!(product.variants[1].price.to_string(), "11.00 USD");
        assert_eq!(product.variants[1].options, [("Size".to_owned(), "8 g".to_owned())]);
        assert_eq!(product.variants[1].stock, None);
        assert!(records.next().is_none());
    }

    #[test]
    fn a_bad_cell_names_its_column() {
        let text = "external_id,placed_at,subtotal,total,title,quantity,unit_price\n\
                    1,2026-01-01,10.005,10,Balm,1,10\n";
        let refusal = orders(text.as_bytes(), Currency::EUR).unwrap().next().unwrap().content.unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("import.invalid", Some("subtotal")));
    }

    #[test]
    fn a_person_with_an_address() {
        let text = "external_id,email,created_at,verified,name,line1,city,country\n\
                    7,ada@example.com,2026-01-01,yes,Ada,1 Way,London,GB\n";
        let person = people(text.as_bytes()).unwrap().next().unwrap().content.unwrap();
        assert!(person.account.verified);
        assert_eq!(person.customer.addresses[0].name, "Ada");
        assert_eq!(person.customer.customer_id, customer_id("7"));
    }
}
