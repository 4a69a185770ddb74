use database::Isolation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payment::{SandboxPayment, Status, failure};
use super::{Sandbox, store};
use crate::error::Error;

/// How a challenge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChallengeResult)]
pub(super) enum Outcome {
    /// The person approves the payment.
    Success,
    /// The person refuses it.
    Failure,
}

impl Sandbox {
    /// The payment whose challenge has this address.
    ///
    /// # Errors
    /// [`Error::ChallengeNotFound`].
    pub(super) async fn challenge(&self, challenge: &str) -> Result<SandboxPayment, Error> {
        let mut reader = self.database.read_primary().await?;
        store::by_challenge(&mut reader, challenge).await?.ok_or(Error::ChallengeNotFound)
    }

    /// Ends a challenge. Ended again in the same way, it answers in the same way.
    ///
    /// # Errors
    /// [`Error::ChallengeEnded`] when it ended otherwise; [`Error::ChallengeNotFound`].
    pub(super) async fn end_challenge(
        &self,
        challenge: &str,
        outcome: Outcome,
    ) -> Result<SandboxPayment, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let found = store::lock_by_challenge(&mut tx, challenge).await?;
                let mut payment = found.ok_or(Error::ChallengeNotFound)?;
                if payment.status != Status::RequiresAction {
                    return match payment.outcome() == Some(outcome) {
                        true => Ok(tx.rollback(payment).await?),
                        false => Err(Error::ChallengeEnded),
                    };
                }
                (payment.status, payment.failure) = match outcome {
                    Outcome::Success => (Status::Authorized, None),
                    Outcome::Failure => (Status::Failed, failure("challenge_failed")),
                };
                payment.updated_at = now;
                store::update(&mut tx, &payment).await?;
                self.tell_payment(&mut tx, &payment).await?;
                Ok(tx.commit(payment).await?)
            })
            .await
    }
}

impl SandboxPayment {
    /// How its challenge ended, if it did.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self.status {
            Status::RequiresAction | Status::Voided => None,
            Status::Failed => Some(Outcome::Failure),
            Status::Authorized | Status::Captured | Status::CaptureFailed => Some(Outcome::Success),
        }
    }
}
