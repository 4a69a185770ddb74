use database::Tx;
use kernel::SellerId;

use crate::Error;
use crate::model::{Seller, handle};
use crate::store;

/// Adds a seller; the handle follows from the name.
///
/// # Errors
/// [`Error::Invalid`] for a name that makes no handle, [`Error::HandleTaken`].
pub(crate) async fn create_seller(tx: &mut Tx, name: &str) -> Result<Seller, Error> {
    let now = tx.database().clock().now();
    let handle = handle::slug(name);
    if !handle::is_handle(&handle) {
        return Err(Error::invalid("/name", "invalid_value", "must have letters or digits of ASCII"));
    }
    let seller = Seller { id: SellerId::new(now, tx.database().rng()), name: name.to_owned() };
    if store::sellers::insert(tx, &seller, now).await? {
        Ok(seller)
    } else {
        Err(Error::HandleTaken { handle })
    }
}
