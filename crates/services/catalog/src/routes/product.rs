//! A product as it is answered.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use kernel::{Money, ProductId, SellerId, Timestamp, VariantId};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::model::{Image, Status, VariantOption};
use crate::ops::read_products::Stocked;

/// A product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductBody {
    /// Names the product.
    id: ProductId,
    /// Its name in addresses.
    handle: String,
    /// What it is called.
    title: String,
    /// Plain text.
    description: String,
    /// The brand.
    brand: String,
    /// Paths, the main one first.
    #[schema(examples(json!(["face/foundation", "face"])))]
    categories: Vec<String>,
    /// Who sells it.
    seller_id: SellerId,
    /// Who sells it, in words.
    seller: SellerBody,
    /// The declaration of contents, as the law wants it (INCI for cosmetics).
    ingredients: Option<String>,
    /// The pictures, the first of them the one for lists.
    images: Vec<Image>,
    /// Where it stands.
    status: Status,
    /// When it was added.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
    /// Grows with every change but that of stock.
    version: i64,
    /// What of it can be bought, in the shop's order.
    variants: Vec<VariantBody>,
}

/// Who sells a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductSeller)]
struct SellerBody {
    /// Names the seller.
    id: SellerId,
    /// What the seller is called.
    name: String,
}

/// A variant of a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Variant)]
struct VariantBody {
    /// Names the variant.
    id: VariantId,
    /// The stock keeping unit.
    sku: String,
    /// What it is called.
    title: String,
    /// What tells it apart from the others.
    options: Vec<VariantOption>,
    /// What one costs, tax included.
    price: Money,
    /// How many can be bought at this moment.
    available: i64,
}

impl From<Stocked> for ProductBody {
    fn from(Stocked { product, available }: Stocked) -> Self {
        let variants = product.variants.iter().map(|variant| VariantBody {
            id: variant.id,
            sku: variant.sku.clone(),
            title: variant.title.clone(),
            options: variant.options.clone(),
            price: variant.price,
            available: available.get(&variant.id).copied().unwrap_or(0),
        });
        Self {
            id: product.id,
            handle: product.handle.clone(),
            title: product.title.clone(),
            description: product.description.clone(),
            brand: product.brand.clone(),
            categories: product.categories.clone(),
            seller_id: product.seller.id,
            seller: SellerBody { id: product.seller.id, name: product.seller.name.clone() },
            ingredients: product.ingredients.clone(),
            images: product.images.clone(),
            status: product.status,
            created_at: product.created_at,
            updated_at: product.updated_at,
            version: product.version,
            variants: variants.collect(),
        }
    }
}

impl ProductBody {
    /// The product's version and, behind a dot, a mark of its stock: a page that was kept is good only
    /// as long as both stand. As `If-Match` only the version counts.
    fn tag(&self) -> String {
        let mut hash = Sha256::new();
        for variant in &self.variants {
            hash.update(variant.available.to_le_bytes());
        }
        let hash = hash.finalize();
        format!("\"{}.{:02x}{:02x}{:02x}{:02x}\"", self.version, hash[0], hash[1], hash[2], hash[3])
    }
}

/// A product with its `ETag`.
#[derive(Debug)]
pub(crate) struct ProductAnswer(pub(crate) ProductBody);

impl ProductAnswer {
    pub(crate) fn new(product: Stocked) -> Self {
        Self(product.into())
    }

    pub(crate) fn location(&self) -> String {
        format!("/v1/admin/products/{}", self.0.id)
    }
}

impl IntoResponse for ProductAnswer {
    fn into_response(self) -> Response {
        let tag = HeaderValue::try_from(self.0.tag());
        let mut response = Json(self.0).into_response();
        let headers = response.headers_mut();
        // It may be kept, but stock changes any moment: ask whether it still stands.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = tag {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}
