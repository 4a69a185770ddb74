use axum::extract::State;
use axum::response::Response;
use kernel::{Money, SellerId, VariantId};
use serde::Deserialize;
use web::{Created, Handled, Idempotent, Role, Staff, ValidJson, Validate, code};

use super::product::{ProductAnswer, ProductBody};
use crate::error::{HANDLE_TAKEN, SKU_TAKEN};
use crate::model::draft::handle_of;
use crate::model::{Draft, DraftVariant, Image, Status, VariantOption};
use crate::ops::create_product::create_product as create;
use crate::ops::list_facets::forget_facets;
use crate::service::Service;

/// A product to add.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewProduct {
    /// Its name in addresses; follows from the title when not said.
    #[schema(max_length = 120, examples("daylight-skin-tint"))]
    handle: Option<String>,
    /// What it is called.
    #[schema(max_length = 200)]
    title: String,
    /// Plain text.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    description: String,
    /// The brand.
    #[serde(default)]
    #[schema(max_length = 100)]
    brand: String,
    /// Paths, the main one first.
    #[serde(default)]
    #[schema(max_items = 10, examples(json!(["face/foundation"])))]
    categories: Vec<String>,
    /// Who sells it.
    seller_id: SellerId,
    /// The ingredients (INCI).
    #[schema(max_length = 10_000)]
    ingredients: Option<String>,
    /// The pictures, the first of them the one for lists.
    #[serde(default)]
    #[schema(max_items = 20)]
    images: Vec<Image>,
    /// `draft` when not said.
    status: Option<Status>,
    /// In the shop's order.
    #[schema(min_items = 1, max_items = 200)]
    variants: Vec<NewVariant>,
}

/// A variant as it shall be. All variants of a product have one currency.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewVariant {
    /// Which one is meant, when the product has it already; otherwise its stock keeping unit tells.
    id: Option<VariantId>,
    /// The stock keeping unit, unique in the shop.
    #[schema(max_length = 100)]
    sku: String,
    /// What it is called.
    #[serde(default)]
    #[schema(max_length = 200)]
    title: String,
    /// What tells it apart from the others.
    #[serde(default)]
    #[schema(max_items = 10)]
    options: Vec<VariantOption>,
    /// What one costs, tax included.
    price: Money,
    /// What is on hand of a new variant; none when not said. Of a variant that is there already the stock
    /// is changed by itself, not here.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    stock: Option<i64>,
}

impl From<NewVariant> for DraftVariant {
    fn from(NewVariant { id, sku, title, options, price, stock }: NewVariant) -> Self {
        Self { id, sku, title, options, price, stock }
    }
}

// The limits are the draft's, which an import meets as well.
impl Validate for NewProduct {}

impl From<NewProduct> for Draft {
    fn from(product: NewProduct) -> Self {
        Self {
            handle: product.handle.unwrap_or_else(|| handle_of(&product.title)),
            title: product.title,
            description: product.description,
            brand: product.brand,
            categories: product.categories,
            seller: product.seller_id,
            ingredients: product.ingredients,
            images: product.images,
            status: product.status.unwrap_or(Status::Draft),
            variants: product.variants.into_iter().map(DraftVariant::from).collect(),
        }
    }
}

web::errors!(Errors: code::CALLER, code::BODY, code::IDEMPOTENCY, HANDLE_TAKEN, SKU_TAKEN);

/// Add a product
///
/// For staff with the role `catalog`.
#[utoipa::path(
    post,
    path = "/v1/admin/products",
    operation_id = "create_product",
    tag = "catalog",
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, the product is added once.")),
    request_body = NewProduct,
    responses(
        (status = 201, description = "It was added.", body = ProductBody, headers(
            ("ETag" = String, description = "Send it back as `If-Match` to change the product."),
            ("Location" = String, description = "The new product."),
        )),
        Errors,
    ),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn create_product(
    State(service): State<Service>,
    staff: Staff,
    Idempotent(once, ValidJson(product)): Idempotent<ValidJson<NewProduct>>,
) -> Handled<Response> {
    staff.require(Role::Catalog)?;
    let draft = &Draft::from(product);
    let response = once
        .run(&service.database, &staff.id.to_string(), |mut tx| async move {
            let answer = ProductAnswer::new(create(&mut tx, draft.clone()).await?);
            Ok((tx, Created { location: answer.location(), body: answer }))
        })
        .await?;
    forget_facets(&service.cache).await;
    Ok(response)
}
