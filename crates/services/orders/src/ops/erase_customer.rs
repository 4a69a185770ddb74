use database::{Tx, idempotency};
use kernel::CustomerId;

use super::advance_checkout::advance_checkout;
use crate::error::Error;
use crate::model::cart::Owner;
use crate::model::checkout::Failure;
use crate::store::{carts, checkouts};

/// Forgets what only the person needs: their cart, and the answers kept for their repetitions. Their orders
/// stay with their totals; what was personal about them was sealed under a key that is gone. A checkout that
/// has not led to an order yet is turned back.
///
/// # Errors
/// What the database says.
pub(crate) async fn erase_customer(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    if let Some(cart) = carts::find(tx, Owner::Customer(customer)).await? {
        carts::delete(tx, cart.id).await?;
    }
    idempotency::forget(tx, &customer.to_string()).await?;
    let now = tx.database().clock().now();
    for checkout in checkouts::open_of_customer(tx, customer).await? {
        if let Some(saga) = checkout.saga.given_up(Failure::PersonErased) {
            advance_checkout(tx, &checkout, saga, now).await?.ok_or(database::Error::Conflict)?;
        }
    }
    Ok(())
}
