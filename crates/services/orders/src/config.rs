//! The `[orders]` section of `souk.toml`.

use kernel::{Currency, Money};
use serde::Deserialize;

/// How the shop sells.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The currency of the shop, ISO 4217.
    pub currency: Currency,
    /// What sending an order costs.
    pub shipping: Shipping,
    /// How long a person has to pay once they checked out, in minutes (1 to 1,440).
    pub payment_minutes: u32,
    /// How much longer than that the stock is held, in minutes (10 to 1,440). It covers the time
    /// between placing an order and taking its stock off the shelf, a crash in between included.
    pub hold_margin_minutes: u32,
    /// After how many days without a change a guest's cart is thrown away (1 to 365).
    pub guest_cart_days: u32,
    /// How many checkouts are carried on at once after a crash or a wait (1 to 256).
    pub checkout_workers: usize,
}

/// What sending an order costs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shipping {
    /// For any order, tax included, in minor units of the shop's currency.
    pub flat: i64,
    /// Orders worth this much are sent for nothing; none for no such gift.
    pub free_from: Option<i64>,
    /// The rate of the tax that `flat` contains, in hundredths of a per cent.
    pub tax_basis_points: u32,
}

/// A value that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("orders.{field}: {reason}")]
pub struct ConfigError {
    /// Which field of the section.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            currency: Currency::EUR,
            shipping: Shipping::default(),
            payment_minutes: 30,
            hold_margin_minutes: 60,
            guest_cart_days: 30,
            checkout_workers: 16,
        }
    }
}

impl Default for Shipping {
    fn default() -> Self {
        Self { flat: 490, free_from: Some(4_900), tax_basis_points: 2_000 }
    }
}

impl Shipping {
    /// What sending an order of `subtotal` costs.
    pub(crate) fn cost(&self, subtotal: Money) -> Money {
        let free = self.free_from.is_some_and(|from| subtotal.amount >= from);
        Money::new(if free { 0 } else { self.flat }, subtotal.currency)
    }
}

impl Config {
    /// Makes sure that every value can be meant.
    ///
    /// # Errors
    /// Names the first field that cannot.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rules = [
            ("payment_minutes", (1..=1_440).contains(&self.payment_minutes), "must be 1 to 1,440"),
            ("hold_margin_minutes", (10..=1_440).contains(&self.hold_margin_minutes), "must be 10 to 1,440"),
            ("guest_cart_days", (1..=365).contains(&self.guest_cart_days), "must be 1 to 365"),
            ("checkout_workers", (1..=256).contains(&self.checkout_workers), "must be 1 to 256"),
            ("shipping.flat", self.shipping.flat >= 0, "must not be negative"),
            (
                "shipping.free_from",
                self.shipping.free_from.is_none_or(|from| from >= 0),
                "must not be negative",
            ),
            ("shipping.tax_basis_points", self.shipping.tax_basis_points <= 10_000, "must be at most 10,000"),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, reason)) => Err(ConfigError { field, reason }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_a_bad_value_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        let config = Config { guest_cart_days: 0, ..Config::default() };
        assert_eq!(config.validate().unwrap_err().to_string(), "orders.guest_cart_days: must be 1 to 365");
    }
}
