//! Ids that follow from what a file calls a thing.

use kernel::{CustomerId, OrderId, ProductId, SellerId, Timestamp, VariantId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A version 8 UUID (RFC 9562: meaning left to the maker) from the SHA-256 of a name.
fn named(kind: &str, name: &str) -> Uuid {
    uuid::Builder::from_custom_bytes(digest(kind, name)).into_uuid()
}

/// The same for things whose ids must sort by time: the moment first, the hash behind it, in the
/// layout of version 7.
fn named_at(kind: &str, name: &str, at: Timestamp) -> Uuid {
    let digest = digest(kind, name);
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

fn digest(kind: &str, name: &str) -> [u8; 16] {
    let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize();
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

/// The product with this handle.
pub(crate) fn product_id(handle: &str) -> ProductId {
    ProductId::from_uuid(named("product", handle))
}

/// The variant with this stock keeping unit.
pub(crate) fn variant_id(sku: &str) -> VariantId {
    VariantId::from_uuid(named("variant", sku))
}

/// The seller with this name.
pub(crate) fn seller_id(name: &str) -> SellerId {
    SellerId::from_uuid(named("seller", name))
}

/// The customer whom the old system called this.
pub(crate) fn customer_id(external_id: &str) -> CustomerId {
    CustomerId::from_uuid(named("customer", external_id))
}

/// The order that the old system called this, placed then.
pub(crate) fn order_id(external_id: &str, placed_at: Timestamp) -> OrderId {
    OrderId::from_uuid(named_at("order", external_id, placed_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_and_kinds_differ() {
        assert_eq!(product_id("a"), product_id("a"));
        assert_ne!(product_id("a"), product_id("b"));
        assert_ne!(product_id("a").uuid(), variant_id("a").uuid());
    }

    #[test]
    fn order_ids_sort_by_their_moment() {
        let early = order_id("2", "1997-01-01T00:00:00Z".parse().unwrap());
        let late = order_id("1", "1997-01-02T00:00:00Z".parse().unwrap());
        assert!(early < late);
        assert_eq!(early.uuid().get_version_num(), 7);
    }
}
