//! What an import finds in the shop: which products, variants and sellers its records mean.

use std::collections::HashMap;

use contracts::import::Verdict;
use kernel::{ProductId, SellerId, VariantId};

use super::handle::{is_handle, slug};
use super::product::{Product, Seller};

/// The part of the shop that a batch of records touches.
#[derive(Debug, Default)]
pub(crate) struct Known {
    products: HashMap<ProductId, Product>,
    handles: HashMap<String, ProductId>,
    skus: HashMap<String, (VariantId, ProductId)>,
    variants: HashMap<VariantId, ProductId>,
    sellers: HashMap<SellerId, Seller>,
    seller_handles: HashMap<String, SellerId>,
}

/// The verdict for a name that something else has.
pub(crate) fn taken(field: &str, detail: &str) -> Verdict {
    Verdict::refused("import.taken", Some(field), format!("{field} {detail}"))
}

impl Known {
    /// What is stored: products, variants as stock keeping unit, id and product, sellers.
    pub(crate) fn new(
        products: impl IntoIterator<Item = Product>,
        variants: impl IntoIterator<Item = (String, VariantId, ProductId)>,
        sellers: impl IntoIterator<Item = Seller>,
    ) -> Self {
        let mut known = Self::default();
        for (sku, id, product) in variants {
            known.variants.insert(id, product);
            known.skus.insert(sku, (id, product));
        }
        for seller in sellers {
            known.learn_seller(seller);
        }
        for product in products {
            known.learn(product);
        }
        known
    }

    /// Remembers what has been written, for the records that follow.
    pub(crate) fn learn(&mut self, product: Product) {
        for variant in &product.variants {
            self.variants.insert(variant.id, product.id);
            self.skus.insert(variant.sku.clone(), (variant.id, product.id));
        }
        self.learn_seller(product.seller.clone());
        if let Some(before) = self.products.get(&product.id) {
            self.handles.remove(&before.handle);
        }
        self.handles.insert(product.handle.clone(), product.id);
        self.products.insert(product.id, product);
    }

    fn learn_seller(&mut self, seller: Seller) {
        self.seller_handles.insert(slug(&seller.name), seller.id);
        self.sellers.insert(seller.id, seller);
    }

    /// The product that a record means: the one with its handle, else the one with its id.
    ///
    /// # Errors
    /// When those are two products.
    pub(crate) fn product(&self, id: ProductId, handle: &str) -> Result<Option<&Product>, Verdict> {
        let by_id = self.products.get(&id);
        let by_handle = self.handles.get(handle).and_then(|id| self.products.get(id));
        match (by_handle, by_id) {
            (Some(one), Some(other)) if one.id != other.id => {
                Err(taken("handle", "belongs to another product"))
            }
            (by_handle, by_id) => Ok(by_handle.or(by_id)),
        }
    }

    /// The variant of `product` that a record means and whether it is new. `None` when its names belong
    /// to a variant of another product.
    pub(crate) fn variant(&self, product: ProductId, id: VariantId, sku: &str) -> Option<(VariantId, bool)> {
        let (id, owner) = match self.skus.get(sku) {
            Some((id, owner)) => (*id, Some(*owner)),
            None => (id, self.variants.get(&id).copied()),
        };
        match owner {
            None => Some((id, true)),
            Some(owner) => (owner == product).then_some((id, false)),
        }
    }

    /// The seller that a record means and whether it is new: the one with its id, else the one whose
    /// name makes the same handle.
    ///
    /// # Errors
    /// When the id is known under another name, or the name makes no handle.
    pub(crate) fn seller(&self, id: SellerId, name: &str) -> Result<(Seller, bool), Verdict> {
        if let Some(seller) = self.sellers.get(&id) {
            let same = seller.name == name;
            let differs =
                || taken("seller/name", &format!("differs: this seller is called {} here", seller.name));
            return same.then(|| (seller.clone(), false)).ok_or_else(differs);
        }
        let handle = slug(name);
        if let Some(seller) = self.seller_handles.get(&handle).and_then(|id| self.sellers.get(id)) {
            return Ok((seller.clone(), false));
        }
        if !is_handle(&handle) || name.chars().count() > 100 {
            let detail = "seller/name must have letters or digits of ASCII and at most 100 characters";
            return Err(Verdict::refused("import.invalid", Some("seller/name"), detail));
        }
        Ok((Seller { id, name: name.to_owned() }, true))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn seller(number: u128, name: &str) -> Seller {
        Seller { id: SellerId::from_uuid(Uuid::from_u128(number)), name: name.to_owned() }
    }

    fn variant(number: u128) -> VariantId {
        VariantId::from_uuid(Uuid::from_u128(number))
    }

    fn product(number: u128) -> ProductId {
        ProductId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn sellers_are_found_by_id_and_by_name() {
        let known = Known::new([], [], [seller(1, "Maren Vale")]);
        let ask = |number: u128, name: &str| known.seller(seller(number, "").id, name);
        assert_eq!(ask(1, "Maren Vale").unwrap(), (seller(1, "Maren Vale"), false));
        assert_eq!(ask(2, "MAREN VALE").unwrap(), (seller(1, "Maren Vale"), false));
        assert_eq!(ask(3, "Kumo").unwrap(), (seller(3, "Kumo"), true));
        assert!(ask(1, "Marin Vale").is_err());
        assert!(ask(4, "!!!").is_err());
    }

    #[test]
    fn variants_are_found_by_sku_then_by_id() {
        let known = Known::new([], [("A".to_owned(), variant(1), product(1))], []);
        assert_eq!(known.variant(product(1), variant(9), "A"), Some((variant(1), false)));
        assert_eq!(known.variant(product(1), variant(1), "renamed"), Some((variant(1), false)));
        assert_eq!(known.variant(product(1), variant(2), "B"), Some((variant(2), true)));
        assert_eq!(known.variant(product(2), variant(2), "A"), None);
        assert_eq!(known.variant(product(2), variant(1), "C"), None);
    }
}
