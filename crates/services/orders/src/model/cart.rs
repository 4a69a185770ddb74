//! What somebody means to buy. Prices are not part of it: they are asked for whenever it is shown.

use kernel::{CartId, CustomerId, VariantId};

/// The most lines that a cart may have.
pub(crate) const MAX_LINES: usize = 100;
/// The most of one variant that a cart may have.
pub(crate) const MAX_QUANTITY: i64 = 999;

/// By what right somebody uses a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is the customer's.
    Customer(CustomerId),
    /// They know the id of a cart that is nobody's.
    Guest(CartId),
}

/// A cart as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cart {
    /// Which; for a guest, knowing it is the right to use it.
    pub(crate) id: CartId,
    /// Whose; none for a guest.
    pub(crate) customer_id: Option<CustomerId>,
    /// Counts the changes; zero for a cart that is not stored yet.
    pub(crate) version: i64,
    /// One line per variant, in the order in which they were put in.
    pub(crate) lines: Vec<CartLine>,
}

/// So many of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CartLine {
    /// Which variant.
    pub(crate) variant_id: VariantId,
    /// How many, 1 to [`MAX_QUANTITY`].
    pub(crate) quantity: i64,
}

/// The cart has as many lines as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CartFull;

impl Cart {
    /// A cart with nothing in it.
    pub(crate) const fn empty(id: CartId, customer_id: Option<CustomerId>) -> Self {
        Self { id, customer_id, version: 0, lines: Vec::new() }
    }

    /// Sets how many of `variant` are wanted; zero takes the line out. Tells whether anything changed.
    pub(crate) fn set(&mut self, variant_id: VariantId, quantity: i64) -> Result<bool, CartFull> {
        let quantity = quantity.clamp(0, MAX_QUANTITY);
        let at = self.lines.iter().position(|line| line.variant_id == variant_id);
        match (at, quantity) {
            (None, 0) => return Ok(false),
            (None, _) if self.lines.len() >= MAX_LINES => return Err(CartFull),
            (None, _) => self.lines.push(CartLine { variant_id, quantity }),
            (Some(at), 0) => {
                self.lines.remove(at);
            }
            (Some(at), _) if self.lines[at].quantity == quantity => return Ok(false),
            (Some(at), _) => self.lines[at].quantity = quantity,
        }
        self.version += 1;
        Ok(true)
    }

    /// Adds what another cart held: quantities of the same variant are added up to the most that a
    /// line may have, and lines for which there is no room are left out.
    pub(crate) fn merge(&mut self, other: &[CartLine]) {
        let mut changed = false;
        for line in other {
            let present = self.quantity(line.variant_id);
            changed |= self.set_quietly(line.variant_id, present.saturating_add(line.quantity));
        }
        self.version += i64::from(changed);
    }

    /// Takes out what was bought. What was added since it was frozen stays.
    pub(crate) fn take_out(&mut self, bought: &[CartLine]) {
        let mut changed = false;
        for line in bought {
            let left = self.quantity(line.variant_id).saturating_sub(line.quantity);
            changed |= self.set_quietly(line.variant_id, left);
        }
        self.version += i64::from(changed);
    }

    fn quantity(&self, variant_id: VariantId) -> i64 {
        self.lines.iter().find(|line| line.variant_id == variant_id).map_or(0, |line| line.quantity)
    }

    /// As [`Cart::set`] without a new version, so that a whole merge counts as one change.
    fn set_quietly(&mut self, variant_id: VariantId, quantity: i64) -> bool {
        let version = self.version;
        let changed = self.set(variant_id, quantity).unwrap_or(false);
        self.version = version;
        changed
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Rng, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn variant(number: u128) -> VariantId {
        VariantId::from_uuid(Uuid::from_u128(number))
    }

    fn cart(lines: &[(u128, i64)]) -> Cart {
        let mut cart = Cart::empty(CartId::new(Timestamp::EPOCH, &Rng::seeded(1)), None);
        for (number, quantity) in lines {
            cart.set(variant(*number), *quantity).unwrap();
        }
        cart
    }

    fn lines(cart: &Cart) -> Vec<(u128, i64)> {
        cart.lines.iter().map(|line| (line.variant_id.uuid().as_u128(), line.quantity)).collect()
    }

    #[test]
    fn every_change_is_a_version_and_no_change_is_none() {
        let mut cart = cart(&[(1, 2)]);
        assert_eq!(cart.version, 1);
        assert_eq!(cart.set(variant(1), 2), Ok(false));
        assert_eq!(cart.set(variant(2), 0), Ok(false));
        assert_eq!(cart.version, 1);
        assert_eq!(cart.set(variant(1), 0), Ok(true));
        assert_eq!((cart.version, cart.lines.len()), (2, 0));
    }

    #[test]
    fn a_full_cart_takes_no_other_line_and_still_changes_its_own() {
        let all: Vec<(u128, i64)> = (1..=100).map(|number| (number, 1)).collect();
        let mut cart = cart(&all);
        assert_eq!(cart.set(variant(101), 1), Err(CartFull));
        assert_eq!(cart.set(variant(100), 5), Ok(true));
    }

    #[test]
    fn merging_adds_up_and_is_capped() {
        let mut mine = cart(&[(1, 990), (2, 1)]);
        let before = mine.version;
        mine.merge(&cart(&[(1, 20), (3, 4)]).lines);
        assert_eq!(lines(&mine), [(1, 999), (2, 1), (3, 4)]);
        assert_eq!(mine.version, before + 1);
    }

    #[test]
    fn what_was_added_during_payment_stays_in_the_cart() {
        let frozen = cart(&[(1, 2), (2, 1)]);
        let mut now = frozen.clone();
        now.set(variant(1), 5).unwrap();
        now.set(variant(3), 1).unwrap();
        now.set(variant(2), 0).unwrap();
        now.take_out(&frozen.lines);
        assert_eq!(lines(&now), [(1, 3), (3, 1)]);
    }

    proptest! {
        #[test]
        fn limits_hold_whatever_is_done(
            steps in proptest::collection::vec((0_u128..150, -5_i64..2_000, any::<bool>()), 0..300),
        ) {
            let mut cart = cart(&[]);
            for (number, quantity, merge) in steps {
                let line = CartLine { variant_id: variant(number), quantity: quantity.max(0) };
                if merge { cart.merge(&[line]); } else { let _ = cart.set(variant(number), quantity); }
                prop_assert!(cart.lines.len() <= MAX_LINES);
                prop_assert!(cart.lines.iter().all(|line| (1..=MAX_QUANTITY).contains(&line.quantity)));
            }
        }

        #[test]
        fn buying_the_whole_cart_empties_it(lines in proptest::collection::vec((0_u128..50, 1_i64..999), 0..50)) {
            let mut cart = cart(&lines);
            let frozen = cart.lines.clone();
            cart.take_out(&frozen);
            prop_assert!(cart.lines.is_empty());
        }
    }
}
