use database::Tx;
use kernel::{CartId, CustomerId};

use crate::error::Error;
use crate::model::cart::{Cart, Owner};
use crate::shop::Shop;
use crate::store::carts;

/// Puts what a guest's cart holds into the customer's and throws the guest's away. `false` when there
/// is no such guest's cart, be it that it was merged before.
///
/// # Errors
/// What the database says.
pub(crate) async fn merge_carts(
    shop: &Shop,
    tx: &mut Tx,
    customer: CustomerId,
    guest: CartId,
) -> Result<bool, Error> {
    let Some(theirs) = carts::find(tx, Owner::Guest(guest)).await? else { return Ok(false) };
    let mut mine = own_cart(shop, tx, customer).await?;
    mine.merge(&theirs.lines);
    carts::delete(tx, theirs.id).await?;
    store(shop, tx, &mine).await?;
    Ok(true)
}

async fn own_cart(shop: &Shop, tx: &mut Tx, customer: CustomerId) -> Result<Cart, Error> {
    let found = carts::find(tx, Owner::Customer(customer)).await?;
    Ok(found.unwrap_or_else(|| Cart::empty(CartId::new(shop.clock.now(), &shop.rng), Some(customer))))
}

/// Stores a cart that was changed, be it new or not.
///
/// # Errors
/// A conflict when somebody else stored the same new cart first, and what the database says.
pub(crate) async fn store(shop: &Shop, tx: &mut Tx, cart: &Cart) -> Result<(), Error> {
    let now = shop.clock.now();
    let owner = cart.customer_id.map_or(Owner::Guest(cart.id), Owner::Customer);
    if carts::find(tx, owner).await?.is_some() {
        carts::update(tx, cart, now).await?;
        return Ok(());
    }
    if carts::insert(tx, cart, now).await? { Ok(()) } else { Err(database::Error::Conflict.into()) }
}
