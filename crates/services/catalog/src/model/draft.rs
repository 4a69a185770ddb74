//! What a product shall be, as staff or a file says it, and the limits on that.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use kernel::{FieldError, Money, ProductId, Rng, SellerId, Timestamp, VariantId};

use super::handle::{self, is_handle};
use super::product::{Image, Product, Seller, Status, Variant, VariantOption};
use super::{category, stock};

/// A product as it shall be.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) handle: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) brand: String,
    pub(crate) categories: Vec<String>,
    pub(crate) seller: SellerId,
    pub(crate) ingredients: Option<String>,
    pub(crate) images: Vec<Image>,
    pub(crate) status: Status,
    pub(crate) variants: Vec<DraftVariant>,
}

/// A variant as it shall be.
#[derive(Clone, Debug)]
pub(crate) struct DraftVariant {
    /// Which one; none means the one with this stock keeping unit, or a new one.
    pub(crate) id: Option<VariantId>,
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) options: Vec<VariantOption>,
    pub(crate) price: Money,
    /// What is on hand of a new one; a variant that is there keeps its stock.
    pub(crate) stock: Option<i64>,
}

/// The most that one of a variant may cost, in minor units.
const MAX_PRICE: i64 = 1_000_000_000_000;

/// Collects complaints.
struct Complaints(Vec<FieldError>);

impl Complaints {
    fn refuse(&mut self, pointer: &str, code: &str, detail: impl Into<String>) {
        // More than these help nobody.
        if self.0.len() < 100 {
            self.0.push(FieldError::new(pointer, code, detail));
        }
    }

    fn check(&mut self, pointer: &str, holds: bool, code: &str, detail: &str) {
        if !holds {
            self.refuse(pointer, code, detail);
        }
    }

    fn text(&mut self, pointer: &str, text: &str, length: RangeInclusive<usize>) {
        if *length.start() > 0 && text.trim().is_empty() {
            self.refuse(pointer, "required", "must not be empty");
        }
        if text.chars().count() > *length.end() {
            self.refuse(pointer, "too_long", format!("must have at most {} characters", length.end()));
        }
        if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
            self.refuse(pointer, "invalid_characters", "must not contain control characters");
        }
    }

    fn count(&mut self, pointer: &str, items: usize, allowed: RangeInclusive<usize>) {
        if !allowed.contains(&items) {
            let detail = format!("must have {} to {} items", allowed.start(), allowed.end());
            let code = if items < *allowed.start() { "too_few" } else { "too_many" };
            self.refuse(pointer, code, detail);
        }
    }
}

impl Draft {
    /// Brings categories into their normal form and says everything that is wrong, by JSON pointer.
    pub(crate) fn check(&mut self) -> Vec<FieldError> {
        let mut complaints = Complaints(Vec::new());
        complaints.check(
            "/handle",
            is_handle(&self.handle),
            "invalid_value",
            "must be lower-case letters and digits, joined by hyphens",
        );
        complaints.text("/title", &self.title, 1..=200);
        complaints.text("/description", &self.description, 0..=10_000);
        complaints.text("/brand", &self.brand, 0..=100);
        complaints.text("/ingredients", self.ingredients.as_deref().unwrap_or_default(), 0..=10_000);
        self.check_categories(&mut complaints);
        complaints.count("/images", self.images.len(), 0..=20);
        for (index, image) in self.images.iter().enumerate() {
            complaints.check(
                &format!("/images/{index}/url"),
                is_address(&image.url),
                "invalid_value",
                "must begin with https://, http:// or / and have at most 2048 characters",
            );
            complaints.text(&format!("/images/{index}/alt"), &image.alt, 0..=500);
        }
        self.check_variants(&mut complaints);
        complaints.0
    }

    fn check_categories(&mut self, complaints: &mut Complaints) {
        complaints.count("/categories", self.categories.len(), 0..=10);
        let mut seen = BTreeSet::new();
        for (index, path) in self.categories.iter_mut().enumerate() {
            match category::normalise(path) {
                Some(normal) => *path = normal,
                None => complaints.refuse(
                    &format!("/categories/{index}"),
                    "invalid_value",
                    format!("must be a path like face/foundation of at most {} levels", category::MAX_LEVELS),
                ),
            }
        }
        self.categories.retain(|path| seen.insert(path.clone()));
    }

    fn check_variants(&self, complaints: &mut Complaints) {
        complaints.count("/variants", self.variants.len(), 1..=200);
        let currency = self.variants.first().map(|variant| variant.price.currency);
        let mut skus = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let at = |field: &str| format!("/variants/{index}/{field}");
            complaints.text(&at("sku"), &variant.sku, 1..=100);
            complaints.text(&at("title"), &variant.title, 0..=200);
            complaints.check(&at("sku"), skus.insert(&variant.sku), "duplicate", "stands twice");
            let repeated = variant.id.is_some_and(|id| !ids.insert(id));
            complaints.check(&at("id"), !repeated, "duplicate", "stands twice");
            complaints.count(&at("options"), variant.options.len(), 0..=10);
            for (option, VariantOption { name, value }) in variant.options.iter().enumerate() {
                complaints.text(&at(&format!("options/{option}/name")), name, 1..=50);
                complaints.text(&at(&format!("options/{option}/value")), value, 1..=100);
            }
            let affordable = (0..=MAX_PRICE).contains(&variant.price.amount);
            complaints.check(&at("price/amount"), affordable, "out_of_range", "must be 0 to 1000000000000");
            complaints.check(
                &at("price/currency"),
                Some(variant.price.currency) == currency,
                "currency_differs",
                "must be the currency of the other variants",
            );
            let countable = variant.stock.is_none_or(|stock| (0..=stock::MAX_ON_HAND).contains(&stock));
            complaints.check(&at("stock"), countable, "out_of_range", "must be 0 to 1000000000");
        }
    }

    /// The product that the draft makes of `before`, at the next version. `known` are the ids of all
    /// variants that the product ever had, by stock keeping unit; a new variant without an id gets one.
    pub(crate) fn apply(
        self,
        before: Option<&Product>,
        identity: &Identity<'_>,
        seller: Seller,
        now: Timestamp,
    ) -> Product {
        let variants = self.variants.into_iter().map(|draft| Variant {
            id: draft
                .id
                .or_else(|| identity.variant(&draft.sku))
                .unwrap_or_else(|| VariantId::new(now, identity.rng)),
            sku: draft.sku,
            title: draft.title,
            options: draft.options,
            price: draft.price,
        });
        Product {
            id: identity.product,
            handle: self.handle,
            title: self.title,
            description: self.description,
            brand: self.brand,
            categories: self.categories,
            seller,
            ingredients: self.ingredients,
            images: self.images,
            status: self.status,
            variants: variants.collect(),
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.map_or(identity.created_at, |before| before.created_at),
            updated_at: now,
        }
    }
}

/// Which things a draft is about.
pub(crate) struct Identity<'a> {
    pub(crate) product: ProductId,
    pub(crate) created_at: Timestamp,
    /// Every variant that the product has or had: its stock keeping unit and its id.
    pub(crate) variants: &'a [(String, VariantId)],
    pub(crate) rng: &'a Rng,
}

impl Identity<'_> {
    fn variant(&self, sku: &str) -> Option<VariantId> {
        self.variants.iter().find(|(known, _)| known == sku).map(|(_, id)| *id)
    }
}

/// Whether a page may point to `url`: nothing that a browser would run.
fn is_address(url: &str) -> bool {
    let plain =
        url.chars().count() <= 2_048 && !url.chars().any(|letter| letter.is_control() || letter == ' ');
    let local = url.starts_with('/') && !url.starts_with("//");
    plain && (local || url.starts_with("https://") || url.starts_with("http://"))
}

/// The handle for a title, cut to what a handle may have.
pub(crate) fn handle_of(title: &str) -> String {
    let mut slug = handle::slug(title);
    while slug.len() > handle::MAX_LEN {
        match slug.rfind('-') {
            Some(at) => slug.truncate(at),
            None => break,
        }
    }
    slug
}
