//! A cart as it is answered.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use kernel::{CartId, Money, ProductId, VariantId};
use serde::Serialize;
use web::{Handled, Versioned};

use super::visitor::{COOKIE, Visitor};
use crate::model::cart::Cart;
use crate::ops::price_cart::{PricedCart, PricedLine, price_cart};
use crate::shop::Shop;

/// A cart at the prices of this moment.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Cart)]
pub(super) struct CartBody {
    /// Which. For a guest it is the right to use the cart: keep it like a password.
    id: CartId,
    /// Raised by every change; the `ETag`. A price that changes does not raise it.
    version: i64,
    /// One line per variant, in the order in which they were put in.
    items: Vec<CartItem>,
    /// What can be had of it, tax included, without shipping.
    subtotal: Money,
    /// What sending that costs, tax included. Nothing for a cart of which nothing can be had.
    shipping: Money,
}

/// A line of a cart.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CartItem {
    /// Which variant.
    variant_id: VariantId,
    /// Its product; null when it is no longer for sale.
    product_id: Option<ProductId>,
    /// How many.
    #[schema(minimum = 1, maximum = 999)]
    quantity: i64,
    /// The price of one, tax included; null when it is no longer for sale.
    unit_price: Option<Money>,
    /// What the line costs; null when it is no longer for sale.
    line_total: Option<Money>,
    /// What it is; null when it is no longer for sale.
    title: Option<String>,
    /// The stock keeping unit; null when it is no longer for sale.
    sku: Option<String>,
    /// How many can be bought now.
    available: i64,
}

impl From<PricedLine> for CartItem {
    fn from(PricedLine { line, quoted }: PricedLine) -> Self {
        let (variant, total) = quoted.unzip();
        Self {
            variant_id: line.variant_id,
            product_id: variant.as_ref().map(|variant| variant.product_id),
            quantity: line.quantity,
            unit_price: variant.as_ref().map(|variant| variant.unit_price),
            line_total: total,
            available: variant.as_ref().map_or(0, |variant| variant.available),
            sku: variant.as_ref().map(|variant| variant.sku.clone()),
            title: variant.map(|variant| variant.title),
        }
    }
}

impl From<PricedCart> for CartBody {
    fn from(PricedCart { cart, lines, subtotal, shipping }: PricedCart) -> Self {
        let items = lines.into_iter().map(CartItem::from).collect();
        Self { id: cart.id, version: cart.version, items, subtotal, shipping }
    }
}

/// The cart at the prices of this moment, with the cookie that a guest needs and a customer does not.
pub(super) async fn answer(shop: &Shop, visitor: &Visitor, cart: Cart) -> Handled<Response> {
    let cookie = cookie(shop, visitor, cart.id);
    let priced = price_cart(shop, cart).await?;
    let version = priced.cart.version;
    let mut response = Versioned::new(CartBody::from(priced), version).into_response();
    let headers = response.headers_mut();
    // Prices move without the version, so nobody is to keep it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn cookie(shop: &Shop, visitor: &Visitor, cart: CartId) -> Option<String> {
    let (value, age) = match (visitor.customer, visitor.carried) {
        (None, _) => (cart.to_string(), 86_400 * u64::from(shop.config.guest_cart_days)),
        // The guest's cart is part of the customer's now.
        (Some(_), Some(_)) => (String::new(), 0),
        (Some(_), None) => return None,
    };
    let secure = if shop.public_url.starts_with("https://") { "; Secure" } else { "" };
    Some(format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"))
}
