use contracts::customers::Address;
use web::{Checks, Validate};

/// An address with its limits.
pub(super) struct Checked<'a>(pub(super) &'a Address);

impl Validate for Checked<'_> {
    fn validate(&self, checks: &mut Checks) {
        let Address { name, line1, line2, city, region, postal_code, country } = self.0;
        checks.text("name", name, 1..=200);
        checks.text("line1", line1, 1..=200);
        checks.optional_text("line2", line2.as_deref(), 0..=200);
        checks.text("city", city, 1..=100);
        checks.optional_text("region", region.as_deref(), 0..=100);
        checks.optional_text("postal_code", postal_code.as_deref(), 0..=20);
        let sound = country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase());
        checks.check("country", sound, "invalid_value", "must be a country code of ISO 3166-1, such as DE");
    }
}
