use std::str::FromStr;

use kernel::{Money, ProductId, SellerId, Timestamp, VariantId};
use serde::{Deserialize, Serialize};

/// A product as it stands, with the variants that are sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) handle: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) brand: String,
    pub(crate) categories: Vec<String>,
    pub(crate) seller: Seller,
    pub(crate) ingredients: Option<String>,
    pub(crate) images: Vec<Image>,
    pub(crate) status: Status,
    pub(crate) variants: Vec<Variant>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Who sells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seller {
    pub(crate) id: SellerId,
    pub(crate) name: String,
}

/// A variant that is sold. Its place in the product's list is its place in the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) id: VariantId,
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) options: Vec<VariantOption>,
    pub(crate) price: Money,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Image {
    /// Its address: of this shop (`/media/…`) or a whole one (`https://…`).
    #[schema(max_length = 2048, examples("/media/products/daylight-skin-tint.svg"))]
    pub(crate) url: String,
    /// What it shows, for those who cannot see it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) alt: String,
}

/// What a variant is within its product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct VariantOption {
    /// `Shade`, `Size`.
    #[schema(max_length = 50)]
    pub(crate) name: String,
    /// `Rosewood`, `30 ml`.
    #[schema(max_length = 100)]
    pub(crate) value: String,
}

/// Where a product stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProductStatus)]
pub(crate) enum Status {
    /// Not yet shown.
    Draft,
    /// Shown and sold.
    Active,
    /// Not shown any more. Orders still name it.
    Archived,
}

impl Status {
    pub(crate) const ALL: [Self; 3] = [Self::Draft, Self::Active, Self::Archived];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// A word that is no status.
#[derive(Debug)]
pub(crate) struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

impl Product {
    /// The price of its cheapest variant in minor units, by which lists are ordered.
    pub(crate) fn price_min(&self) -> i64 {
        self.variants.iter().map(|variant| variant.price.amount).min().unwrap_or(0)
    }

    /// Everything that a search shall find it by, besides the title.
    pub(crate) fn searchable(&self) -> String {
        let variants = self.variants.iter().flat_map(|variant| [&variant.title, &variant.sku]);
        [&self.brand, &self.description]
            .into_iter()
            .chain(&self.categories)
            .chain(&self.ingredients)
            .chain(variants)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The line of an order for one variant of a product.
pub(crate) fn line_title(product: &str, variant: &str) -> String {
    if variant.is_empty() || variant == product {
        product.to_owned()
    } else {
        format!("{product}, {variant}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_does_not_stutter() {
        assert_eq!(line_title("Skin Tint", "Ivory 20"), "Skin Tint, Ivory 20");
        assert_eq!(line_title("Gua Sha", "Gua Sha"), "Gua Sha");
        assert_eq!(line_title("Gua Sha", ""), "Gua Sha");
    }

    #[test]
    fn statuses_are_words() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("deleted".parse::<Status>().is_err());
    }
}
