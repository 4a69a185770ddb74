use std::time::Duration;

use contracts::payments::{NextAction, PaymentStatus};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::Failure;

/// How far a checkout has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Its stock is to be reserved.
    Reserve,
    /// Its payment is to be authorised.
    Authorise,
    /// The payment is under way: the person is asked something, or its outcome is not known.
    AwaitPayment,
    /// The order is to be placed.
    Place,
    /// The order stands; its stock is to leave the shelf for good.
    CommitStock,
    /// The stock has left the shelf; the money is to be taken.
    Capture,
    /// All is done.
    Done,
    /// It was turned back; the money is to be let go or given back.
    SettlePayment,
    /// It was turned back and holds no money; the stock is to go back on the shelf.
    ReturnStock,
    /// It was turned back and holds nothing.
    Undone,
}

impl Stage {
    /// Every stage, in the order in which they are gone through.
    pub(crate) const ALL: [Self; 10] = [
        Self::Reserve,
        Self::Authorise,
        Self::AwaitPayment,
        Self::Place,
        Self::CommitStock,
        Self::Capture,
        Self::Done,
        Self::SettlePayment,
        Self::ReturnStock,
        Self::Undone,
    ];

    /// The word in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Authorise => "authorise",
            Self::AwaitPayment => "await_payment",
            Self::Place => "place",
            Self::CommitStock => "commit_stock",
            Self::Capture => "capture",
            Self::Done => "done",
            Self::SettlePayment => "settle_payment",
            Self::ReturnStock => "return_stock",
            Self::Undone => "undone",
        }
    }

    /// The stage that `word` names.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether an order that reached this stage has been placed.
    pub(crate) const fn is_placed(self) -> bool {
        matches!(self, Self::CommitStock | Self::Capture | Self::Done)
    }
}

/// The state of a checkout as far as it decides what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saga {
    /// How far it has come.
    pub(crate) stage: Stage,
    /// The stage in which it was turned back, which tells what there is to undo.
    pub(crate) turned_back_at: Option<Stage>,
    /// Why it was turned back.
    pub(crate) failure: Option<Failure>,
    /// The payment's status as last told.
    pub(crate) payment_status: Option<PaymentStatus>,
    /// What the person has to do for the payment.
    pub(crate) next_action: Option<NextAction>,
    /// How often in a row the present stage led to nothing.
    pub(crate) attempts: u32,
    /// Not to be tried again before this.
    pub(crate) wake_at: Option<Timestamp>,
    /// It is turned back unless it is paid for by then. The hold on the stock lasts longer.
    pub(crate) expires_at: Timestamp,
}

/// What is to be done with a checkout now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Take this step and tell [`Saga::after`] what it came to.
    Take(Step),
    /// Nothing before this moment, unless the payment is heard of.
    Wait(Timestamp),
    /// Nothing, ever.
    Ended,
}

/// One thing to do; all but placing asks another service, and each may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Hold the stock.
    ReserveStock,
    /// Undo of [`Step::ReserveStock`].
    ReleaseStock,
    /// Set the money aside, or learn that it was.
    AuthorisePayment,
    /// Learn where the payment stands.
    AskPayment,
    /// Undo of [`Step::AuthorisePayment`].
    VoidPayment,
    /// Write the order.
    PlaceOrder,
    /// Take the stock off the shelf for good.
    CommitStock,
    /// Undo of [`Step::CommitStock`]. When it is not known whether the commit was heard, it is
    /// first repeated, so that there is something definite to undo.
    Restock {
        /// Whether to repeat the commit first.
        commit_first: bool,
    },
    /// Take the money.
    CapturePayment,
    /// Undo of [`Step::CapturePayment`].
    RefundPayment,
}

/// The first wait after a call that led to nothing; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

impl Saga {
    /// A checkout that has frozen its lines and holds nothing yet.
    pub(crate) const fn new(expires_at: Timestamp) -> Self {
        Self {
            stage: Stage::Reserve,
            turned_back_at: None,
            failure: None,
            payment_status: None,
            next_action: None,
            attempts: 0,
            wake_at: None,
            expires_at,
        }
    }

    /// What is to be done at `now`.
    pub(crate) fn plan(&self, now: Timestamp) -> Plan {
        if let Some(wake_at) = self.wake_at.filter(|wake_at| *wake_at > now) {
            return Plan::Wait(wake_at);
        }
        Plan::Take(match self.stage {
            Stage::Reserve => Step::ReserveStock,
            Stage::Authorise => Step::AuthorisePayment,
            Stage::AwaitPayment => Step::AskPayment,
            Stage::Place => Step::PlaceOrder,
            Stage::CommitStock => Step::CommitStock,
            Stage::Capture => Step::CapturePayment,
            Stage::SettlePayment => self.settling_step(),
            Stage::ReturnStock => match self.turned_back_at {
                Some(Stage::CommitStock) => Step::Restock { commit_first: true },
                Some(Stage::Capture | Stage::Done) => Step::Restock { commit_first: false },
                _ => Step::ReleaseStock,
            },
            Stage::Done | Stage::Undone => return Plan::Ended,
        })
    }

    pub(super) fn settling_step(&self) -> Step {
        match self.payment_status {
            None => Step::AskPayment,
            Some(PaymentStatus::Captured | PaymentStatus::PartiallyRefunded) => Step::RefundPayment,
            Some(_) => Step::VoidPayment,
        }
    }

    /// Whether the order was placed, be it that it was cancelled since.
    pub(crate) fn order_is_placed(&self) -> bool {
        self.turned_back_at.unwrap_or(self.stage).is_placed()
    }

    /// The order that was placed is not wanted any more. Nothing changes when it was turned back already.
    #[must_use]
    pub(crate) fn cancelled(&self) -> Self {
        if self.turned_back_at.is_some() { self.clone() } else { self.turned_back(Failure::Cancelled) }
    }

    /// The checkout is not wanted any more; none when its order is placed, or it was turned back already.
    pub(crate) fn given_up(&self, why: Failure) -> Option<Self> {
        matches!(self.stage, Stage::Reserve | Stage::Authorise | Stage::AwaitPayment)
            .then(|| self.turned_back(why))
    }

    /// The payment was heard of: look after it at once. Money that turns up after everything was
    /// undone is let go again.
    #[must_use]
    pub(crate) fn payment_heard(&self, status: PaymentStatus) -> Self {
        let holds_money = matches!(
            status,
            PaymentStatus::Authorized | PaymentStatus::Captured | PaymentStatus::PartiallyRefunded
        );
        match self.stage {
            // Known, and for the staff to give back: see `refund_failed`.
            Stage::ReturnStock | Stage::Undone if self.keeps_money() => self.clone(),
            Stage::ReturnStock | Stage::Undone if holds_money => {
                Self { payment_status: None, ..self.at(Stage::SettlePayment) }
            }
            Stage::Done | Stage::Undone => self.clone(),
            _ => Self { wake_at: None, ..self.clone() },
        }
    }

    /// Its refund failed at the provider, be it after it had succeeded: a card was closed meanwhile. Asking
    /// again under the same id changes nothing, so the rest is undone, and the money, which the order shows
    /// as taken, is for the shop's staff to give back in another way.
    #[must_use]
    pub(crate) fn refund_failed(&self) -> Self {
        let kept = Self { payment_status: Some(PaymentStatus::Captured), ..self.clone() };
        match self.stage {
            Stage::SettlePayment => kept.at(Stage::ReturnStock),
            Stage::ReturnStock | Stage::Undone => kept,
            _ => self.clone(),
        }
    }

    const fn keeps_money(&self) -> bool {
        matches!(self.payment_status, Some(PaymentStatus::Captured))
    }

    pub(super) fn at(&self, stage: Stage) -> Self {
        Self { stage, attempts: 0, wake_at: None, ..self.clone() }
    }

    pub(super) fn turned_back(&self, failure: Failure) -> Self {
        // Before the payment was asked for there is none to settle.
        let stage = if self.stage == Stage::Reserve { Stage::ReturnStock } else { Stage::SettlePayment };
        let settled = matches!(self.payment_status, Some(PaymentStatus::Failed | PaymentStatus::Voided));
        Self {
            turned_back_at: Some(self.stage),
            failure: Some(failure),
            payment_status: if settled { self.payment_status } else { None },
            next_action: None,
            ..self.at(if settled { Stage::ReturnStock } else { stage })
        }
    }

    pub(super) fn again(&self, now: Timestamp) -> Self {
        self.again_at(self.stage, now)
    }

    pub(super) fn again_at(&self, stage: Stage, now: Timestamp) -> Self {
        let wait = FIRST_WAIT.saturating_mul(1 << self.attempts.min(16)).min(LONGEST_WAIT);
        Self {
            stage,
            attempts: self.attempts.saturating_add(1),
            wake_at: Some(now.plus(wait)),
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[path = "saga_tests.rs"]
mod tests;
