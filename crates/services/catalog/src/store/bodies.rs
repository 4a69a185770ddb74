use std::collections::HashMap;
use std::sync::Arc;

use database::{Connection, Error};
use kernel::ProductId;

use super::products;
use crate::model::Product;

/// Products as they were last read. One is used again only when its version is still the stored one,
/// so a copy of the service never shows what another has changed.
#[derive(Clone, Debug)]
pub(crate) struct Bodies(moka::sync::Cache<ProductId, Arc<Product>>);

impl Bodies {
    /// Remembers at most `capacity` products.
    pub(crate) fn new(capacity: u64) -> Self {
        Self(moka::sync::Cache::new(capacity))
    }

    /// The products with these ids and versions, in that order.
    pub(crate) async fn load(
        &self,
        connection: &mut Connection,
        wanted: &[(ProductId, i64)],
    ) -> Result<Vec<Arc<Product>>, Error> {
        let known = |(id, version): &(ProductId, i64)| {
            self.0.get(id).filter(|product| product.version == *version).map(|product| (*id, product))
        };
        let mut found: HashMap<ProductId, Arc<Product>> = wanted.iter().filter_map(known).collect();
        let missing: Vec<ProductId> =
            wanted.iter().map(|(id, _)| *id).filter(|id| !found.contains_key(id)).collect();
        if !missing.is_empty() {
            for product in products::find(connection, &missing).await? {
                let product = Arc::new(product);
                self.0.insert(product.id, product.clone());
                found.insert(product.id, product);
            }
        }
        Ok(wanted.iter().filter_map(|(id, _)| found.get(id).cloned()).collect())
    }
}
