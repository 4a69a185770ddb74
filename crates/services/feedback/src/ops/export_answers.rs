use kernel::CustomerId;
use serde::Serialize;

use super::open_answers::open_answers;
use crate::error::Error;
use crate::model::Answer;
use crate::service::Service;
use crate::store::{self, purchases::Purchase};

/// Everything that is held about a person.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    /// What they answered.
    answers: Vec<Answer>,
    /// The orders that they may still be asked about.
    purchases: Vec<Purchase>,
}

/// Gathers everything that is held about `customer`.
///
/// # Errors
/// What the database and the vault say.
pub(crate) async fn export_answers(service: &Service, customer: CustomerId) -> Result<Export, Error> {
    let (mut answers, purchases) = {
        let mut reader = service.database.read().await?;
        (store::answers::of(&mut reader, customer).await?, store::purchases::of(&mut reader, customer).await?)
    };
    open_answers(&service.vault, &mut answers).await?;
    Ok(Export { answers: answers.into_iter().map(|stored| stored.answer).collect(), purchases })
}
