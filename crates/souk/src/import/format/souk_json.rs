//! Souk's own shape as JSON.

use std::io::BufRead;

use contracts::catalog::{ImportProduct, ImportSeller, ImportVariant};
use contracts::customers::{Address, ImportCustomer};
use contracts::identity::ImportAccount;
use contracts::orders::{ImportLine, ImportOrder, Totals};
use kernel::{Money, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{ImportPerson, ImportPurchase, Records, json};
use crate::import::{Refusal, customer_id, order_id, product_id, seller_id, variant_id};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Product {
    handle: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    brand: String,
    #[serde(default)]
    categories: Vec<String>,
    seller: String,
    ingredients: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default = "active")]
    status: String,
    variants: Vec<Variant>,
    created_at: Timestamp,
}

fn active() -> String {
    "active".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    sku: String,
    title: String,
    #[serde(default)]
    options: Vec<(String, String)>,
    price: Money,
    stock: Option<i64>,
}

/// Products.
pub(super) fn products(reader: impl BufRead + Send + 'static) -> Records<ImportProduct> {
    json::records(
        reader,
        |value| text(value, "handle"),
        |product: Product| {
            Ok(ImportProduct {
                product_id: product_id(&product.handle),
                handle: product.handle,
                title: product.title,
                description: product.description,
                brand: product.brand,
                categories: product.categories,
                seller: ImportSeller { seller_id: seller_id(&product.seller), name: product.seller },
                ingredients: product.ingredients,
                images: product.images,
                status: product.status,
                variants: product.variants.into_iter().map(variant).collect(),
                created_at: product.created_at,
            })
        },
    )
}

fn variant(variant: Variant) -> ImportVariant {
    ImportVariant {
        variant_id: variant_id(&variant.sku),
        sku: variant.sku,
        title: variant.title,
        options: variant.options,
        price: variant.price,
        stock: variant.stock,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) external_id: String,
    pub(super) email: String,
    #[serde(default)]
    pub(super) verified: bool,
    pub(super) password_hash: Option<String>,
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) locale: Option<String>,
    #[serde(default)]
    pub(super) addresses: Vec<Address>,
    #[serde(default)]
    pub(super) consents: Vec<String>,
    pub(super) created_at: Timestamp,
}

impl Person {
    pub(super) fn into_import(self) -> ImportPerson {
        let customer_id = customer_id(&self.external_id);
        ImportPerson {
            account: ImportAccount {
                customer_id,
                email: self.email.clone(),
                verified: self.verified,
                password_hash: self.password_hash,
                created_at: self.created_at,
            },
            customer: ImportCustomer {
                customer_id,
                external_id: self.external_id,
                email: self.email,
                name: self.name,
                phone: self.phone,
                locale: self.locale,
                addresses: self.addresses,
                consents: self.consents,
                created_at: self.created_at,
            },
        }
    }
}

/// People, each with the account to sign in with.
pub(super) fn people(reader: impl BufRead + Send + 'static) -> Records<ImportPerson> {
    json::records(reader, |value| text(value, "external_id"), |person: Person| Ok(person.into_import()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    external_id: String,
    /// The customer's `external_id`.
    customer: Option<String>,
    placed_at: Timestamp,
    status: String,
    payment_status: String,
    fulfilment_status: String,
    lines: Vec<Line>,
    totals: Totals,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    sku: String,
    title: String,
    quantity: i64,
    unit_price: Money,
    total: Money,
}

/// Orders of customers who were imported before.
pub(super) fn orders(reader: impl BufRead + Send + 'static) -> Records<ImportPurchase> {
    json::records(
        reader,
        |value| text(value, "external_id"),
        |order: Order| {
            if order.external_id.is_empty() {
                return Err(Refusal::missing("external_id"));
            }
            let order = ImportOrder {
                order_id: order_id(&order.external_id, order.placed_at),
                external_id: order.external_id,
                customer_id: order.customer.as_deref().map(customer_id),
                placed_at: order.placed_at,
                status: order.status,
                payment_status: order.payment_status,
                fulfilment_status: order.fulfilment_status,
                lines: order.lines.into_iter().map(line).collect(),
                totals: order.totals,
            };
            Ok(ImportPurchase { order, buyer_email: None })
        },
    )
}

fn line(line: Line) -> ImportLine {
    ImportLine {
        variant_id: (!line.sku.is_empty()).then(|| variant_id(&line.sku)),
        sku: line.sku,
        title: line.title,
        quantity: line.quantity,
        unit_price: line.unit_price,
        total: line.total,
    }
}

/// The text of a member, empty when there is none.
pub(super) fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
