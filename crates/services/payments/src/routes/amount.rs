use kernel::Money;
use web::{Checks, Validate};

/// An amount that moves: more than zero.
pub(super) struct Positive(pub(super) Money);

impl Validate for Positive {
    fn validate(&self, checks: &mut Checks) {
        checks.check("amount", self.0.amount > 0, "out_of_range", "must be more than zero");
    }
}
