//! What each outcome of each step leads to.

use contracts::payments::PaymentStatus;
use kernel::Timestamp;

use super::{Failure, Outcome, Saga, Stage, Step, Unclear};

impl Saga {
    /// The state after the step that [`Saga::plan`] asked for at `now` came to `outcome`.
    #[must_use]
    pub(crate) fn after(&self, outcome: &Outcome, now: Timestamp) -> Self {
        match self.stage {
            Stage::Reserve => self.after_reserving(outcome),
            Stage::Authorise | Stage::AwaitPayment => self.after_authorising(outcome, now),
            Stage::Place => match outcome {
                Outcome::Placed => self.at(Stage::CommitStock),
                _ => self.again(now),
            },
            Stage::CommitStock => match outcome {
                Outcome::StockCommitted => self.at(Stage::Capture),
                Outcome::ReservationEnded | Outcome::Refused { .. } => self.turned_back(Failure::StockLost),
                _ => self.again(now),
            },
            Stage::Capture => self.after_capturing(outcome, now),
            Stage::SettlePayment => self.after_settling(outcome, now),
            Stage::ReturnStock => match outcome {
                // A refusal means that there is nothing of ours to put back.
                Outcome::StockReturned | Outcome::ReservationEnded | Outcome::Refused { .. } => {
                    self.at(Stage::Undone)
                }
                _ => self.again(now),
            },
            Stage::Done | Stage::Undone => self.clone(),
        }
    }

    fn after_reserving(&self, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Reserved => self.at(Stage::Authorise),
            // All lines are held or none, so there is nothing to return.
            Outcome::OutOfStock(lines) => {
                self.turned_back(Failure::OutOfStock { lines: lines.clone() }).at(Stage::Undone)
            }
            Outcome::ReservationEnded => self.turned_back(Failure::Expired),
            Outcome::Unclear(Unclear::TimedOut) => self.turned_back(Failure::Unavailable { timed_out: true }),
            _ => self.turned_back(Failure::Unavailable { timed_out: false }),
        }
    }

    fn after_authorising(&self, outcome: &Outcome, now: Timestamp) -> Self {
        let late = now >= self.expires_at;
        match outcome {
            Outcome::Payment { status, next_action, decline, .. } => {
                let told =
                    Self { payment_status: Some(*status), next_action: next_action.clone(), ..self.clone() };
                match status {
                    PaymentStatus::Failed => told.turned_back(match decline {
                        Some(decline) => Failure::Declined {
                            reason: decline.reason.clone(),
                            provider_reason: decline.provider_reason.clone(),
                        },
                        None => Failure::Declined { reason: "declined".to_owned(), provider_reason: None },
                    }),
                    // The hold on the stock may be over: placing the order now would be a guess.
                    _ if late => told.turned_back(Failure::Expired),
                    PaymentStatus::Authorized | PaymentStatus::Captured => told.at(Stage::Place),
                    PaymentStatus::RequiresAction => {
                        Self { wake_at: Some(self.expires_at), ..told.at(Stage::AwaitPayment) }
                    }
                    PaymentStatus::Created | PaymentStatus::Processing | PaymentStatus::Unknown => {
                        told.again_at(Stage::AwaitPayment, now)
                    }
                    PaymentStatus::Voided | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
                        told.turned_back(Failure::Expired)
                    }
                }
            }
            Outcome::PersonErased => self.turned_back(Failure::PersonErased),
            Outcome::Refused { code, detail } => {
                self.turned_back(Failure::PaymentRefused { code: code.clone(), detail: detail.clone() })
            }
            _ if late => self.turned_back(Failure::Expired),
            // The request was lost on its way, so it is made again.
            Outcome::NoPayment => self.again_at(Stage::Authorise, now),
            Outcome::Unclear(Unclear::Unreachable)
                if self.stage == Stage::Authorise && self.attempts == 0 =>
            {
                self.turned_back(Failure::Unavailable { timed_out: false })
            }
            _ => self.again(now),
        }
    }

    fn after_capturing(&self, outcome: &Outcome, now: Timestamp) -> Self {
        match outcome {
            Outcome::Payment { status, .. } => {
                let told = Self { payment_status: Some(*status), ..self.clone() };
                match status {
                    PaymentStatus::Captured | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
                        told.at(Stage::Done)
                    }
                    PaymentStatus::Failed | PaymentStatus::Voided => told.turned_back(Failure::PaymentLost),
                    _ => told.again(now),
                }
            }
            Outcome::NoPayment | Outcome::Refused { .. } => self.turned_back(Failure::PaymentLost),
            _ => self.again(now),
        }
    }

    fn after_settling(&self, outcome: &Outcome, now: Timestamp) -> Self {
        let asked = self.payment_status.is_none();
        match outcome {
            Outcome::Payment { status, .. } => {
                let told = Self { payment_status: Some(*status), ..self.clone() };
                match (status, self.settling_step()) {
                    (PaymentStatus::Voided | PaymentStatus::Failed | PaymentStatus::Refunded, _) => {
                        told.at(Stage::ReturnStock)
                    }
                    (_, Step::AskPayment) => told,
                    // A void that finds the money taken is followed by a refund.
                    (PaymentStatus::Captured | PaymentStatus::PartiallyRefunded, Step::VoidPayment) => told,
                    _ => self.ask_again(now),
                }
            }
            // The payment was never heard of. Voiding it makes sure that it never will be.
            Outcome::NoPayment if asked => {
                Self { payment_status: Some(PaymentStatus::Created), ..self.clone() }
            }
            Outcome::NoPayment => self.at(Stage::ReturnStock),
            _ => self.ask_again(now),
        }
    }

    fn ask_again(&self, now: Timestamp) -> Self {
        Self { payment_status: None, ..self.again(now) }
    }
}
