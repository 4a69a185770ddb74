use axum::extract::State;
use kernel::{ProductId, SellerId};
use serde::{Deserialize, Deserializer};
use web::{Handled, Id, IfMatch, Problem, Role, Staff, ValidJson, Validate, code};

use super::create_product::NewVariant;
use super::product::{ProductAnswer, ProductBody};
use crate::error::{HANDLE_TAKEN, PRODUCT_NOT_FOUND, SKU_TAKEN};
use crate::model::{Draft, DraftVariant, Image, Product, Status};
use crate::ops::list_facets::forget_facets;
use crate::ops::update_product::update_product as update;
use crate::service::Service;

/// What shall change; what is not named stays (RFC 7396).
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct ProductPatch {
    /// Its name in addresses.
    #[schema(max_length = 120)]
    handle: Option<String>,
    /// What it is called.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// What there is to say about it.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// The brand.
    #[schema(max_length = 100)]
    brand: Option<String>,
    /// Paths of categories.
    #[schema(max_items = 10)]
    categories: Option<Vec<String>>,
    /// Who sells it.
    seller_id: Option<SellerId>,
    /// `null` takes them away.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    ingredients: Option<Option<String>>,
    /// The pictures, the first of them the one for lists.
    #[schema(max_items = 20)]
    images: Option<Vec<Image>>,
    /// `archived` takes the product out of the shop; orders still name it.
    status: Option<Status>,
    /// All variants that shall be sold from now on, in the shop's order. One that is left out is retired
    /// and keeps its stock and its stock keeping unit; naming that unit again brings it back.
    #[schema(min_items = 1, max_items = 200)]
    variants: Option<Vec<NewVariant>>,
}

/// A member that is there, be it `null`.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

// The limits are the draft's.
impl Validate for ProductPatch {}

impl ProductPatch {
    /// The product with the changes.
    fn onto(&self, product: &Product) -> Draft {
        let change = self.clone();
        let kept = || {
            product.variants.iter().map(|variant| DraftVariant {
                id: Some(variant.id),
                sku: variant.sku.clone(),
                title: variant.title.clone(),
                options: variant.options.clone(),
                price: variant.price,
                stock: None,
            })
        };
        Draft {
            handle: change.handle.unwrap_or_else(|| product.handle.clone()),
            title: change.title.unwrap_or_else(|| product.title.clone()),
            description: change.description.unwrap_or_else(|| product.description.clone()),
            brand: change.brand.unwrap_or_else(|| product.brand.clone()),
            categories: change.categories.unwrap_or_else(|| product.categories.clone()),
            seller: change.seller_id.unwrap_or(product.seller.id),
            ingredients: change.ingredients.unwrap_or_else(|| product.ingredients.clone()),
            images: change.images.unwrap_or_else(|| product.images.clone()),
            status: change.status.unwrap_or(product.status),
            variants: match change.variants {
                Some(variants) => variants.into_iter().map(DraftVariant::from).collect(),
                None => kept().collect(),
            },
        }
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::VERSION, code::BAD_ID, PRODUCT_NOT_FOUND, HANDLE_TAKEN, SKU_TAKEN
);

/// Change a product
///
/// For staff with the role `catalog`. `If-Match` names the version that was read; a change that changes
/// nothing keeps the version.
#[utoipa::path(
    patch,
    path = "/v1/admin/products/{id}",
    operation_id = "update_product",
    tag = "catalog",
    params(
        ("id" = ProductId, Path, description = "The product."),
        ("If-Match" = String, Header, description = "The `ETag` that was read."),
    ),
    request_body = ProductPatch,
    responses(
        (status = 200, description = "The product as it is now.", body = ProductBody, headers(("ETag" = String, description = "Its version from now on."))),
        Errors,
    ),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn update_product(
    State(service): State<Service>,
    staff: Staff,
    Id(id): Id<ProductId>,
    IfMatch(version): IfMatch,
    ValidJson(patch): ValidJson<ProductPatch>,
) -> Handled<ProductAnswer> {
    staff.require(Role::Catalog)?;
    let patch = &patch;
    let product = service
        .database
        .write(|mut tx| async move {
            let product = update(&mut tx, id, version, |product| patch.onto(product)).await?;
            Ok::<_, Problem>(tx.commit(product).await?)
        })
        .await?;
    forget_facets(&service.cache).await;
    Ok(ProductAnswer::new(product))
}
