use kernel::{CartId, CustomerId};

use super::merge_carts::merge_carts;
use crate::error::Error;
use crate::model::cart::Owner;
use crate::shop::Shop;
use crate::store::carts;

/// The cart of somebody who is signed in as `customer`, or is not, and who brought the id `carried`.
///
/// A customer's own cart is found by who they are; a guest's cart that they bring along is merged
/// into it. Somebody unknown uses the cart whose id they know, unless it is a customer's, and else
/// gets a new one, which is stored when something is put into it.
///
/// # Errors
/// What the database says.
pub(crate) async fn resolve_cart(
    shop: &Shop,
    customer: Option<CustomerId>,
    carried: Option<CartId>,
) -> Result<Owner, Error> {
    match (customer, carried) {
        (Some(customer), None) => Ok(Owner::Customer(customer)),
        (Some(customer), Some(carried)) => {
            let found = carts::find(&mut *shop.database.read().await?, Owner::Guest(carried)).await?;
            if found.is_some() {
                merge(shop, customer, carried).await?;
            }
            Ok(Owner::Customer(customer))
        }
        (None, Some(carried)) => {
            let taken = carts::belongs_to_a_customer(&mut *shop.database.read().await?, carried).await?;
            Ok(Owner::Guest(if taken { new_id(shop) } else { carried }))
        }
        (None, None) => Ok(Owner::Guest(new_id(shop))),
    }
}

/// The cart that somebody names by its id: a guest's, or a customer's own. A guest's cart that a customer
/// names becomes part of their own; one that is gone may have become so before.
///
/// # Errors
/// [`Error::CartNotFound`] when it is another customer's.
pub(crate) async fn named_cart(
    shop: &Shop,
    customer: Option<CustomerId>,
    cart: CartId,
) -> Result<Owner, Error> {
    let mut connection = shop.database.read().await?;
    let own = match customer {
        Some(customer) => carts::find(&mut connection, Owner::Customer(customer)).await?,
        None => None,
    };
    let is_own = own.is_some_and(|own| own.id == cart);
    if !is_own && carts::belongs_to_a_customer(&mut connection, cart).await? {
        return Err(Error::CartNotFound);
    }
    drop(connection);
    let carried = (!is_own).then_some(cart);
    resolve_cart(shop, customer, carried).await
}

async fn merge(shop: &Shop, customer: CustomerId, guest: CartId) -> Result<(), Error> {
    shop.database
        .write(|mut tx| async move {
            merge_carts(shop, &mut tx, customer, guest).await?;
            Ok(tx.commit(()).await?)
        })
        .await
}

fn new_id(shop: &Shop) -> CartId {
    CartId::new(shop.clock.now(), &shop.rng)
}
