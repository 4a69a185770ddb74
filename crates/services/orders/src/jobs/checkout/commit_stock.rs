use contracts::CallError;

use crate::model::checkout::{Checkout, Outcome};
use crate::shop::Shop;

/// Takes the stock off the shelf for good.
pub(super) async fn commit(shop: &Shop, checkout: &Checkout) -> Outcome {
    match shop.catalog.commit(checkout.id).await {
        Ok(()) => Outcome::StockCommitted,
        Err(error) => refused(&error),
    }
}

/// Undo of [`commit`]. With `commit_first` it is not known whether the commit was heard: it is repeated,
/// so that there is something definite to undo.
pub(super) async fn restock(shop: &Shop, checkout: &Checkout, commit_first: bool) -> Outcome {
    if commit_first {
        match commit(shop, checkout).await {
            Outcome::StockCommitted => {}
            other => return other,
        }
    }
    match shop.catalog.restock(checkout.id).await {
        Ok(()) => Outcome::StockReturned,
        Err(error) => refused(&error),
    }
}

fn refused(error: &CallError) -> Outcome {
    if error.is("catalog.reservation_ended") {
        return Outcome::ReservationEnded;
    }
    Outcome::failed_call(error, "catalog")
}
