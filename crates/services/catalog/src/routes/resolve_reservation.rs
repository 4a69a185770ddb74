use axum::extract::State;
use kernel::CheckoutId;
use web::{Handled, Id, Internal, NoContent};

use crate::model::Command;
use crate::ops::resolve_reservation::resolve;
use crate::service::Service;

/// Makes the reservation of a checkout final.
pub(crate) async fn commit(
    State(service): State<Service>,
    _: Internal,
    Id(checkout): Id<CheckoutId>,
) -> Handled<NoContent> {
    resolve(&service.database, checkout, Command::Commit).await?;
    Ok(NoContent)
}

/// Gives the reservation of a checkout back.
pub(crate) async fn release(
    State(service): State<Service>,
    _: Internal,
    Id(checkout): Id<CheckoutId>,
) -> Handled<NoContent> {
    resolve(&service.database, checkout, Command::Release).await?;
    Ok(NoContent)
}

/// Puts back what the reservation of a checkout had made final.
pub(crate) async fn restock(
    State(service): State<Service>,
    _: Internal,
    Id(checkout): Id<CheckoutId>,
) -> Handled<NoContent> {
    resolve(&service.database, checkout, Command::Restock).await?;
    Ok(NoContent)
}
