use contracts::customers::Address;
use serde::Deserialize;
use web::{Checks, Validate};

use crate::model::address;

/// An address as somebody writes it into their book.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct AddressBody {
    /// The recipient.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Street and number.
    #[schema(min_length = 1, max_length = 200)]
    line1: String,
    /// More of the street.
    #[schema(min_length = 1, max_length = 200)]
    line2: Option<String>,
    /// The town.
    #[schema(min_length = 1, max_length = 100)]
    city: String,
    /// State, province or county.
    #[schema(min_length = 1, max_length = 100)]
    region: Option<String>,
    /// The postal code; some countries have none.
    #[schema(min_length = 1, max_length = 20)]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    #[schema(pattern = "^[A-Z]{2}$", examples("DE"))]
    country: String,
    /// Whether it is the one to suggest. When nothing is said, the first address of a book is, and one
    /// that is replaced stays what it was.
    default: Option<bool>,
}

impl AddressBody {
    /// The address, and whether it is to be the default.
    pub(super) fn into_parts(self) -> (Address, Option<bool>) {
        (self.address(), self.default)
    }

    fn address(&self) -> Address {
        Address {
            name: self.name.clone(),
            line1: self.line1.clone(),
            line2: self.line2.clone(),
            city: self.city.clone(),
            region: self.region.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country.clone(),
        }
    }
}

impl Validate for AddressBody {
    fn validate(&self, checks: &mut Checks) {
        address::check(checks, &self.address());
    }
}
