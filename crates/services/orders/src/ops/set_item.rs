use kernel::{CartId, VariantId};
use web::IfMatch;

use super::merge_carts::store;
use super::price_cart::for_sale;
use crate::error::Error;
use crate::model::cart::{Cart, CartFull, Owner};
use crate::shop::Shop;
use crate::store::carts;

/// How many of a variant somebody wants in their cart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetItem {
    pub(crate) owner: Owner,
    pub(crate) variant_id: VariantId,
    /// Zero takes the line out.
    pub(crate) quantity: i64,
    /// The version of the cart that the change is for, when that matters to them.
    pub(crate) if_match: Option<IfMatch>,
}

/// Sets how many of a variant a cart holds, and returns the cart.
///
/// # Errors
/// A variant that is not for sale, a full cart, another version than the one the change is for.
pub(crate) async fn set_item(shop: &Shop, command: SetItem) -> Result<Cart, Error> {
    let SetItem { owner, variant_id, quantity, if_match } = command;
    if quantity > 0 && for_sale(shop, [variant_id]).await?.is_empty() {
        return Err(Error::UnknownVariant);
    }
    shop.database
        .write(|mut tx| async move {
            let mut cart = match carts::find(&mut tx, owner).await? {
                Some(cart) => cart,
                None => Cart { version: first_version(&mut tx, owner).await?, ..new_cart(shop, owner) },
            };
            if let Some(if_match) = if_match {
                if_match.check(cart.version)?;
            }
            if !cart.set(variant_id, quantity).map_err(|CartFull| Error::CartFull)? {
                return Ok(tx.rollback(cart).await?);
            }
            store(shop, &mut tx, &cart).await?;
            Ok(tx.commit(cart).await?)
        })
        .await
}

async fn first_version(tx: &mut database::Tx, owner: Owner) -> Result<i64, Error> {
    match owner {
        Owner::Customer(_) => Ok(0),
        Owner::Guest(id) => Ok(carts::last_bought_version(tx, id).await?),
    }
}

/// A cart that is not stored yet, for `owner`.
pub(crate) fn new_cart(shop: &Shop, owner: Owner) -> Cart {
    match owner {
        Owner::Customer(customer) => Cart::empty(CartId::new(shop.clock.now(), &shop.rng), Some(customer)),
        Owner::Guest(id) => Cart::empty(id, None),
    }
}
