use std::time::Duration;

use contracts::payments::{Decline, NextAction, PaymentStatus};
use kernel::{CustomerId, Money, OrderId, PaymentId, Timestamp};

use super::decline::{self, decline};
use super::{Answer, AttemptId, Card, Fact, Observed, Operation, Posting, Snapshot, Stage, Step};

/// The call that a payment waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) attempt: AttemptId,
    pub(crate) operation: Operation,
    /// Whether the answer was lost: it may or may not have happened.
    pub(crate) lost: bool,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) order_id: OrderId,
    pub(crate) customer_id: Option<CustomerId>,
    /// Which connector it goes through, for good.
    pub(crate) provider: String,
    pub(crate) method: String,
    pub(crate) card: Option<Card>,
    pub(crate) amount: Money,
    /// Minor units that were taken.
    pub(crate) captured: i64,
    /// Minor units that were given back.
    pub(crate) refunded: i64,
    pub(crate) stage: Stage,
    pub(crate) asked: Option<Asked>,
    /// Whether nothing is to be taken any more, whatever becomes of the call that is under way.
    pub(crate) void_wanted: bool,
    pub(crate) action_url: Option<String>,
    pub(crate) decline: Option<Decline>,
    pub(crate) provider_reference: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Payment {
    /// What is told.
    pub(crate) fn status(&self) -> PaymentStatus {
        if self.asked.is_some_and(|asked| asked.lost) {
            return PaymentStatus::Unknown;
        }
        match self.stage {
            Stage::Created => PaymentStatus::Created,
            Stage::RequiresAction => PaymentStatus::RequiresAction,
            Stage::Processing => PaymentStatus::Processing,
            Stage::Authorized => PaymentStatus::Authorized,
            Stage::Captured if self.refunded == 0 => PaymentStatus::Captured,
            Stage::Captured if self.refunded < self.captured => PaymentStatus::PartiallyRefunded,
            Stage::Captured => PaymentStatus::Refunded,
            Stage::Voided => PaymentStatus::Voided,
            Stage::NotDone | Stage::Failed | Stage::CaptureFailed => PaymentStatus::Failed,
        }
    }

    /// The payment as other services see it.
    pub(crate) fn view(&self) -> contracts::payments::Payment {
        let status = self.status();
        let money = |amount| Money::new(amount, self.amount.currency);
        contracts::payments::Payment {
            payment_id: self.id,
            order_id: self.order_id,
            status,
            amount: self.amount,
            captured: money(self.captured),
            refunded: money(self.refunded),
            next_action: self.next_action(),
            decline: self.decline.clone().filter(|_| status == PaymentStatus::Failed),
        }
    }

    /// What the person has to do now.
    pub(crate) fn next_action(&self) -> Option<NextAction> {
        let url = self.action_url.clone().filter(|_| self.status() == PaymentStatus::RequiresAction);
        url.map(|url| NextAction::Redirect { url })
    }

    /// Whether it is to be voided and nothing stands in the way.
    pub(crate) fn needs_void(&self) -> bool {
        self.void_wanted && self.asked.is_none() && self.stage.is_open()
    }

    /// Whether it waits for something that the provider tells by itself.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::RequiresAction | Stage::Processing)
    }

    /// When to ask about a payment that waits for its provider: notifications get lost. Half its age
    /// from now, so that an old one is asked for less often.
    pub(crate) fn look_again(&self, now: Timestamp) -> Timestamp {
        if self.needs_void() {
            return now;
        }
        let age = now.since(self.created_at);
        now.plus((age / 2).clamp(Duration::from_secs(30), Duration::from_secs(3_600)))
    }

    /// Whether money is set aside that may be taken now.
    pub(crate) fn can_capture(&self) -> bool {
        self.stage == Stage::Authorized && self.asked.is_none() && !self.void_wanted
    }

    /// The payment while the call `attempt` is under way.
    #[must_use]
    pub(crate) fn asking(&self, attempt: AttemptId, operation: Operation) -> Self {
        Self { asked: Some(Asked { attempt, operation, lost: false }), ..self.clone() }
    }

    /// The payment when nobody waits for the answer any more.
    #[must_use]
    pub(crate) fn lost(&self, attempt: AttemptId) -> Self {
        let asked = self.asked.map(|asked| Asked { lost: asked.lost || asked.attempt == attempt, ..asked });
        Self { asked, ..self.clone() }
    }

    /// The payment after the call `attempt` came to `answer`.
    pub(crate) fn answered(&self, attempt: AttemptId, answer: &Answer) -> Step {
        let asked = self.asked.filter(|asked| asked.attempt == attempt);
        match (answer, asked) {
            (Answer::Snapshot(snapshot), _) => self.observe(snapshot),
            // A notification was faster than the answer.
            (_, None) => self.known(),
            (Answer::Lost, Some(_)) => Step { next: self.lost(attempt), ..self.known() },
            (Answer::Refused(decline), Some(asked)) if asked.operation == Operation::Authorize => {
                self.reach(Stage::Failed, Some(decline))
            }
            // The payment stands as it stood; whoever asked looks again.
            (Answer::Refused(_), Some(_)) => self.not_done(None),
            (Answer::NotSent(decline), Some(_)) => self.not_done(Some(decline)),
        }
    }

    /// The payment after the provider was asked where it stands. `conclusive` says that the call that
    /// it waits for can no longer take effect, so what does not show by now has not happened.
    pub(crate) fn fetched(&self, snapshot: Option<&Snapshot>, conclusive: bool) -> Step {
        let step = snapshot.map_or_else(|| self.known(), |snapshot| self.observe(snapshot));
        if !conclusive || step.next.asked.is_none() {
            return step;
        }
        let nothing = decline(decline::PROVIDER_ERROR, None);
        let Step { next, .. } = step.next.not_done(Some(&nothing));
        Step { next, ..step }
    }

    /// The payment after the provider said where it stands, whenever and however often it says so.
    pub(crate) fn observe(&self, snapshot: &Snapshot) -> Step {
        let mut step = match &snapshot.fact {
            Fact::Captured { amount } if !self.can_have_captured(*amount) => {
                Step { observed: Observed::Contradiction, ..self.known() }
            }
            Fact::Captured { amount } => self.reach_captured(amount.amount),
            Fact::RequiresAction { url } => {
                let mut step = self.reach(Stage::RequiresAction, None);
                if step.observed == Observed::Applied {
                    step.next.action_url = Some(url.clone());
                }
                step
            }
            Fact::Failed { decline } | Fact::CaptureFailed { decline } => {
                self.reach(snapshot.fact.stage(), Some(decline))
            }
            Fact::Processing | Fact::Authorized | Fact::Voided => self.reach(snapshot.fact.stage(), None),
        };
        // Learned once, with the reference: a card that was erased does not come back by a late notification.
        if step.observed != Observed::Contradiction && self.provider_reference.is_none() {
            step.next.provider_reference = Some(snapshot.reference.clone());
            step.next.card = snapshot.card.clone();
        }
        step
    }

    /// The payment after so much was given back.
    #[must_use]
    pub(crate) fn refunded(&self, amount: i64) -> Self {
        Self { refunded: self.refunded.saturating_add(amount), ..self.clone() }
    }

    fn can_have_captured(&self, amount: Money) -> bool {
        amount.currency == self.amount.currency && (1..=self.amount.amount).contains(&amount.amount)
    }

    fn reach_captured(&self, amount: i64) -> Step {
        let mut step = self.reach(Stage::Captured, None);
        if step.observed == Observed::Applied {
            step.next.captured = amount;
            step.postings.push(Posting::Capture(amount));
        }
        step
    }

    /// Moves to `stage` when that outranks the present one.
    fn reach(&self, stage: Stage, decline: Option<&Decline>) -> Step {
        let observed = match stage.rank().cmp(&self.stage.rank()) {
            std::cmp::Ordering::Greater => Observed::Applied,
            std::cmp::Ordering::Less => Observed::Late,
            std::cmp::Ordering::Equal if stage == self.stage => Observed::Known,
            std::cmp::Ordering::Equal => Observed::Contradiction,
        };
        if observed != Observed::Applied {
            return Step { observed, ..self.known() };
        }
        let mut next = Self { stage, decline: decline.cloned(), ..self.clone() };
        next.asked = next.asked.filter(|asked| !stage.shows(asked.operation));
        let mut postings = Vec::new();
        let held = self.stage == Stage::Authorized;
        match stage {
            Stage::Authorized | Stage::Captured if !held => postings.push(Posting::Hold),
            Stage::Voided | Stage::Failed | Stage::CaptureFailed if held => postings.push(Posting::Release),
            Stage::CaptureFailed if self.captured > self.refunded => {
                postings.push(Posting::TakeBack(self.captured - self.refunded));
                next.captured = self.refunded;
            }
            _ => {}
        }
        Step { next, postings, observed }
    }

    /// The call that it waits for has not happened.
    fn not_done(&self, decline: Option<&Decline>) -> Step {
        let mut next = Self { asked: None, ..self.clone() };
        if next.stage == Stage::Created {
            next.stage = Stage::NotDone;
            next.decline = decline.cloned();
        }
        Step { next, ..self.known() }
    }

    fn known(&self) -> Step {
        Step { next: self.clone(), postings: Vec::new(), observed: Observed::Known }
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
