//! Catalog: products, their variants, prices and stock.

use kernel::{CheckoutId, Money, ProductId, SellerId, Timestamp, VariantId};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel};

/// A product was created or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductChanged {
    /// Which.
    pub product_id: ProductId,
    /// Its version from now on.
    pub version: i64,
}
event!(ProductChanged, "catalog.product_changed.v1", product_id);

/// How many of a variant can be bought has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockChanged {
    /// Which variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// How many can be bought now.
    pub available: i64,
}
event!(StockChanged, "catalog.stock_changed.v1", variant_id);

/// So many of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRequest {
    /// Which variant.
    pub variant_id: VariantId,
    /// How many, at least one.
    pub quantity: i64,
}

/// What a variant is and costs at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedVariant {
    /// Which variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// The stock keeping unit.
    pub sku: String,
    /// Product and variant, as a line of an order shows it.
    pub title: String,
    /// The brand.
    pub brand: String,
    /// The category it is filed under first.
    pub category: Option<String>,
    /// The price of one, tax included.
    pub unit_price: Money,
    /// The share of tax in the price, in hundredths of a per cent.
    pub tax_basis_points: u32,
    /// How many can be bought now.
    pub available: i64,
}

/// Prices for several variants; those that are unknown or not for sale are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// In the order of the request.
    pub variants: Vec<QuotedVariant>,
}

/// Take stock off the shelf for a checkout, all lines or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveStock {
    /// The checkout, which is also the reservation's id: asking twice reserves once.
    pub checkout_id: CheckoutId,
    /// What; lines of one variant are added up.
    pub lines: Vec<LineRequest>,
    /// The shelf gets it back by itself after so long.
    pub hold_seconds: u64,
}

/// A line that cannot be had; `catalog.out_of_stock` lists them under `lines`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Shortage {
    /// Which variant.
    pub variant_id: VariantId,
    /// How many were asked for.
    pub requested: i64,
    /// How many there are.
    pub available: i64,
}

/// Calls to catalog.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// What `variants` are and cost now.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn quote(&self, variants: &[VariantId]) -> Result<Quote, CallError> {
        self.0.post("/internal/catalog/quote", &variants).await
    }

    /// Reserves stock; refused with `catalog.out_of_stock` and the [`Shortage`] lines, or with
    /// `catalog.reservation_ended` when this checkout's reservation was released or ran out.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn reserve(&self, request: &ReserveStock) -> Result<(), CallError> {
        self.0.post("/internal/catalog/reservations", request).await
    }

    /// Makes a reservation final. Refused with `catalog.reservation_ended` when it ran out.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn commit(&self, checkout: CheckoutId) -> Result<(), CallError> {
        self.0.post(&format!("/internal/catalog/reservations/{checkout}/commit"), &()).await
    }

    /// Gives a reservation back; nothing happens when there is none or it was given back before.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn release(&self, checkout: CheckoutId) -> Result<(), CallError> {
        self.0.post(&format!("/internal/catalog/reservations/{checkout}/release"), &()).await
    }

    /// Puts stock that was committed back on the shelf, once per checkout.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn restock(&self, checkout: CheckoutId) -> Result<(), CallError> {
        self.0.post(&format!("/internal/catalog/reservations/{checkout}/restock"), &()).await
    }
}

/// A product to take over from elsewhere, or from a file that the shop keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportProduct {
    /// The product id it gets; the importer derives it from `handle` so that it is stable.
    pub product_id: ProductId,
    /// The name in addresses, unique in the shop.
    pub handle: String,
    /// The title.
    pub title: String,
    /// Plain text.
    #[serde(default)]
    pub description: String,
    /// The brand.
    #[serde(default)]
    pub brand: String,
    /// Categories, the main one first, as paths: `face/foundation`.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Who sells it.
    pub seller: ImportSeller,
    /// The declaration of contents (INCI for cosmetics).
    #[serde(default)]
    pub ingredients: Option<String>,
    /// Addresses of pictures.
    #[serde(default)]
    pub images: Vec<String>,
    /// `active` or `draft`.
    #[serde(default = "active")]
    pub status: String,
    /// At least one.
    pub variants: Vec<ImportVariant>,
    /// When it came into the catalogue.
    pub created_at: Timestamp,
}

fn active() -> String {
    "active".to_owned()
}

/// Who sells an imported product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportSeller {
    /// The seller id it gets; derived from the name.
    pub seller_id: SellerId,
    /// The name.
    pub name: String,
}

/// A variant of an imported product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportVariant {
    /// The variant id it gets; derived from the stock keeping unit.
    pub variant_id: VariantId,
    /// The stock keeping unit, unique in the shop.
    pub sku: String,
    /// The title: `Rosewood / 30 ml`.
    pub title: String,
    /// The options in order: `[("Shade", "Rosewood"), ("Size", "30 ml")]`.
    #[serde(default)]
    pub options: Vec<(String, String)>,
    /// The price of one, tax included.
    pub price: Money,
    /// How many there are; `None` leaves the stock as it is.
    #[serde(default)]
    pub stock: Option<i64>,
}
