//! Stock in the ledger's terms. Each variant has three accounts that count it in its own unit:
//! what is on the shelf, where deliveries come from and losses go, and what has been sold.

use std::time::Duration;

use kernel::{AccountId, CheckoutId, TransferId, VariantId};
use ledger::{Account, Balance, Guard, Movement, Transfer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The most that can be on hand of one variant.
pub(crate) const MAX_ON_HAND: i64 = 1_000_000_000;

/// How much there is of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// What lies on the shelf.
    pub(crate) on_hand: i64,
    /// What of it is held for checkouts.
    pub(crate) reserved: i64,
    /// What can be bought.
    pub(crate) available: i64,
}

impl From<Balance> for Level {
    fn from(balance: Balance) -> Self {
        Self {
            on_hand: balance.credits_posted - balance.debits_posted,
            reserved: balance.debits_pending,
            available: balance.credit_available(),
        }
    }
}

/// The account of what is on the shelf. It has the variant's own UUID.
pub(crate) fn shelf(variant: VariantId) -> AccountId {
    AccountId::from_uuid(variant.uuid())
}

fn supply(variant: VariantId) -> AccountId {
    AccountId::from_uuid(derive("supply", &[variant.uuid()]))
}

fn sold(variant: VariantId) -> AccountId {
    AccountId::from_uuid(derive("sold", &[variant.uuid()]))
}

/// The accounts to open for a new variant.
pub(crate) fn accounts(variant: VariantId) -> [Account; 3] {
    let account =
        |id, kind: &str, guard| Account { id, unit: variant.to_string(), kind: kind.to_owned(), guard };
    [
        account(shelf(variant), "stock", Guard::DebitsMustNotExceedCredits),
        account(supply(variant), "supply", Guard::None),
        // No more can come back than was sold.
        account(sold(variant), "sold", Guard::DebitsMustNotExceedCredits),
    ]
}

/// Puts `delta` more on the shelf, or takes so many off it when negative; `None` when it is zero.
pub(crate) fn adjust(id: TransferId, variant: VariantId, delta: i64, reason: &str) -> Option<Transfer> {
    let (shelf, supply) = (shelf(variant), supply(variant));
    let amount = delta.checked_abs()?;
    let (debit, credit) = if delta > 0 { (supply, shelf) } else { (shelf, supply) };
    (amount > 0).then(|| Transfer::single(id, Movement { debit, credit, amount }, reason))
}

/// The id of the first delivery of a variant, so that a new variant is stocked once.
pub(crate) fn first_delivery(variant: VariantId) -> TransferId {
    TransferId::from_uuid(derive("first delivery", &[variant.uuid()]))
}

/// Holds `quantity` for the checkout; void by itself after `hold`.
pub(crate) fn reserve(checkout: CheckoutId, variant: VariantId, quantity: i64, hold: Duration) -> Transfer {
    let movement = Movement { debit: shelf(variant), credit: sold(variant), amount: quantity };
    Transfer::pending(step("reserve", checkout, variant), movement, hold, checkout.to_string())
}

/// Makes what [`reserve`] holds final.
pub(crate) fn commit(checkout: CheckoutId, variant: VariantId) -> Transfer {
    let held = step("reserve", checkout, variant);
    Transfer::post(step("commit", checkout, variant), held, None, checkout.to_string())
}

/// Gives back what [`reserve`] holds.
pub(crate) fn release(checkout: CheckoutId, variant: VariantId) -> Transfer {
    let held = step("reserve", checkout, variant);
    Transfer::void(step("release", checkout, variant), held, checkout.to_string())
}

/// Puts back what [`commit`] took.
pub(crate) fn restock(checkout: CheckoutId, variant: VariantId, quantity: i64) -> Transfer {
    let movement = Movement { debit: sold(variant), credit: shelf(variant), amount: quantity };
    Transfer::single(step("restock", checkout, variant), movement, checkout.to_string())
}

fn step(name: &str, checkout: CheckoutId, variant: VariantId) -> TransferId {
    TransferId::from_uuid(derive(name, &[checkout.uuid(), variant.uuid()]))
}

/// A version 8 UUID (RFC 9562) from the SHA-256 of what it is for.
fn derive(name: &str, of: &[Uuid]) -> Uuid {
    let mut hash = Sha256::new().chain_update(name).chain_update([0]);
    for id in of {
        hash.update(id.as_bytes());
    }
    let hash = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(number: u128) -> VariantId {
        VariantId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn steps_of_one_checkout_never_share_an_id() {
        let checkout = CheckoutId::from_uuid(Uuid::from_u128(1));
        let ids: std::collections::BTreeSet<_> = [variant(1), variant(2)]
            .into_iter()
            .flat_map(|variant| {
                let reserve = reserve(checkout, variant, 1, Duration::from_secs(1));
                let others =
                    [commit(checkout, variant), release(checkout, variant), restock(checkout, variant, 1)];
                [reserve.id].into_iter().chain(others.map(|transfer| transfer.id))
            })
            .collect();
        assert_eq!(ids.len(), 8);
    }

    #[test]
    fn a_variant_has_three_accounts_of_its_own() {
        let ids: std::collections::BTreeSet<_> =
            [variant(1), variant(2)].into_iter().flat_map(accounts).map(|account| account.id).collect();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn nothing_is_moved_for_nothing() {
        let id = first_delivery(variant(1));
        assert!(adjust(id, variant(1), 0, "").is_none());
        assert!(adjust(id, variant(1), i64::MIN, "").is_none());
        assert!(adjust(id, variant(1), -3, "").is_some());
    }
}
