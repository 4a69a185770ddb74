use contracts::customers::Address;
use kernel::{AddressId, Timestamp};
use serde::Serialize;
use web::Checks;

use super::country::is_country;

/// The most addresses that one book holds.
pub(crate) const MAX_ADDRESSES: usize = 50;

/// An address in a customer's book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct SavedAddress {
    /// Its id.
    pub(crate) id: AddressId,
    /// The recipient.
    pub(crate) name: String,
    /// Street and number.
    pub(crate) line1: String,
    /// More of the street.
    pub(crate) line2: Option<String>,
    /// The town.
    pub(crate) city: String,
    /// State, province or county.
    pub(crate) region: Option<String>,
    /// The postal code.
    pub(crate) postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(examples("DE"))]
    pub(crate) country: String,
    /// Whether it is the one to suggest.
    pub(crate) default: bool,
    /// Since when it is in the book.
    pub(crate) created_at: Timestamp,
    /// Its version, which every change raises.
    pub(crate) version: i64,
}

/// Says what is wrong with an address.
pub(crate) fn check(checks: &mut Checks, address: &Address) {
    checks.text("name", &address.name, 1..=200);
    checks.text("line1", &address.line1, 1..=200);
    checks.optional_text("line2", address.line2.as_deref(), 1..=200);
    checks.text("city", &address.city, 1..=100);
    checks.optional_text("region", address.region.as_deref(), 1..=100);
    checks.optional_text("postal_code", address.postal_code.as_deref(), 1..=20);
    let known = is_country(&address.country);
    checks.check("country", known, "unknown_country", "must be a code of ISO 3166-1 alpha-2, such as DE");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_limits() {
        let sound = Address {
            name: "Ada Winter".into(),
            line1: "1 Alder Street".into(),
            city: "Dublin".into(),
            country: "IE".into(),
            ..Address::default()
        };
        let refused = |address: &Address| {
            let mut checks = Checks::of_body();
            check(&mut checks, address);
            checks.into_errors().into_iter().map(|error| error.pointer).collect::<Vec<_>>()
        };
        assert!(refused(&sound).is_empty(), "some countries have no postal codes");
        assert_eq!(refused(&Address::default()), ["/name", "/line1", "/city", "/country"]);
        let long = |count| Some("x".repeat(count));
        let address = Address {
            line2: long(201),
            region: long(101),
            postal_code: long(21),
            country: "ie".into(),
            ..sound
        };
        assert_eq!(refused(&address), ["/line2", "/region", "/postal_code", "/country"]);
    }
}
