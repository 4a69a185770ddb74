use std::str::FromStr;

use contracts::payments::Decline;
use kernel::{Money, PaymentId, RefundId, Timestamp};

use super::attempt::UnknownWord;
use super::{AttemptId, Observed, RefundFact, RefundSnapshot};

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    /// It was asked for and is under way.
    Pending,
    /// The provider was asked and the answer was lost. It is resolved by asking, never guessed.
    Unknown,
    /// The money is on its way to the person.
    Succeeded,
    /// It was refused, or failed after it had succeeded.
    Failed,
}

impl RefundStatus {
    const ALL: [Self; 4] = [Self::Pending, Self::Unknown, Self::Succeeded, Self::Failed];

    /// The word on the wire and in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// What outranks what. A failure outranks a success: it is the reversal that can follow it.
    const fn rank(self) -> u8 {
        match self {
            Self::Pending | Self::Unknown => 0,
            Self::Succeeded => 1,
            Self::Failed => 2,
        }
    }

    /// Whether the provider has not yet said how it ends.
    pub(crate) const fn is_open(self) -> bool {
        self.rank() == 0
    }
}

impl FromStr for RefundStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownWord)
    }
}

database::text_values!(RefundStatus);

/// Money that is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Money,
    /// Why, for the books.
    pub(crate) reason: String,
    pub(crate) status: RefundStatus,
    /// The call that has not been answered yet.
    pub(crate) attempt: Option<AttemptId>,
    /// Why it failed.
    pub(crate) failure: Option<Decline>,
    pub(crate) provider_reference: Option<String>,
    /// Who asked for it.
    pub(crate) requested_by: String,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// What moves in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundPosting {
    /// What was reserved for it leaves.
    Pay,
    /// What was reserved for it is free again.
    Release,
    /// What had left is back.
    TakeBack,
}

/// A refund after something was learned, and what that moves in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct RefundStep {
    pub(crate) next: Refund,
    pub(crate) posting: Option<RefundPosting>,
    pub(crate) observed: Observed,
}

impl Refund {
    /// Whether its call is still to be made: none is under way, and the provider has never heard of it.
    pub(crate) fn is_unsent(&self) -> bool {
        self.status.is_open() && self.attempt.is_none() && self.provider_reference.is_none()
    }

    /// The refund while the call `attempt` is under way.
    #[must_use]
    pub(crate) fn asking(&self, attempt: AttemptId) -> Self {
        Self { status: RefundStatus::Pending, attempt: Some(attempt), ..self.clone() }
    }

    /// The refund when nobody waits for the answer any more.
    #[must_use]
    pub(crate) fn lost(&self) -> Self {
        let lost = self.attempt.is_some() && self.status.is_open();
        Self { status: if lost { RefundStatus::Unknown } else { self.status }, ..self.clone() }
    }

    /// The refund when the call that it waits for is known not to have happened.
    #[must_use]
    pub(crate) fn not_done(&self) -> Self {
        let status = if self.status.is_open() { RefundStatus::Pending } else { self.status };
        Self { status, attempt: None, ..self.clone() }
    }

    /// The refund after the provider said where it stands, whenever and however often it says so.
    pub(crate) fn observe(&self, snapshot: &RefundSnapshot) -> RefundStep {
        let mut step = match &snapshot.fact {
            RefundFact::Pending => self.reach(RefundStatus::Pending, None),
            RefundFact::Succeeded => self.reach(RefundStatus::Succeeded, None),
            RefundFact::Failed { decline } => self.refused(decline),
        };
        step.next.provider_reference.get_or_insert_with(|| snapshot.reference.clone());
        step
    }

    /// The refund after the provider refused it, now or after it had succeeded.
    pub(crate) fn refused(&self, decline: &Decline) -> RefundStep {
        self.reach(RefundStatus::Failed, Some(decline))
    }

    fn reach(&self, status: RefundStatus, failure: Option<&Decline>) -> RefundStep {
        let (now, then) = (self.status.rank(), status.rank());
        if then < now {
            return RefundStep { next: self.clone(), posting: None, observed: Observed::Late };
        }
        // The provider has it, so the call was heard.
        let heard = Self { attempt: None, ..self.clone() };
        if then == now {
            let status = if self.status == RefundStatus::Unknown { status } else { self.status };
            return RefundStep { next: Self { status, ..heard }, posting: None, observed: Observed::Known };
        }
        let posting = match (self.status, status) {
            (RefundStatus::Succeeded, _) => RefundPosting::TakeBack,
            (_, RefundStatus::Succeeded) => RefundPosting::Pay,
            _ => RefundPosting::Release,
        };
        let next = Self { status, failure: failure.cloned(), ..heard };
        RefundStep { next, posting: Some(posting), observed: Observed::Applied }
    }
}

#[cfg(test)]
mod tests {
    use contracts::payments::Decline;
    use kernel::Currency;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn refund() -> Refund {
        Refund {
            id: RefundId::from_uuid(Uuid::from_u128(1)),
            payment_id: PaymentId::from_uuid(Uuid::from_u128(2)),
            amount: Money::new(500, Currency::EUR),
            reason: "too large".into(),
            status: RefundStatus::Pending,
            attempt: Some(AttemptId::from_uuid(Uuid::from_u128(3))),
            failure: None,
            provider_reference: None,
            requested_by: "stf_1".into(),
            version: 1,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        }
    }

    fn told(fact: RefundFact) -> RefundSnapshot {
        RefundSnapshot { refund_id: refund().id, reference: "re_1".into(), fact }
    }

    fn failed() -> RefundFact {
        RefundFact::Failed { decline: Decline { reason: "refund_failed".into(), provider_reason: None } }
    }

    #[test]
    fn a_success_that_fails_later_is_taken_back() {
        let paid = refund().observe(&told(RefundFact::Succeeded));
        assert_eq!((paid.next.status, paid.posting), (RefundStatus::Succeeded, Some(RefundPosting::Pay)));
        let back = paid.next.observe(&told(failed()));
        assert_eq!((back.next.status, back.posting), (RefundStatus::Failed, Some(RefundPosting::TakeBack)));
        let late = back.next.observe(&told(RefundFact::Succeeded));
        assert_eq!((late.observed, late.posting), (Observed::Late, None));
    }

    #[test]
    fn what_was_lost_is_found_again() {
        let lost = refund().lost();
        assert_eq!(lost.status, RefundStatus::Unknown);
        assert_eq!(lost.observe(&told(RefundFact::Pending)).next.status, RefundStatus::Pending);
        let again = lost.not_done();
        assert_eq!((again.status, again.attempt), (RefundStatus::Pending, None));
    }

    proptest! {
        /// However the notifications of one refund are mixed, the refund and its money end the same.
        #[test]
        fn the_order_of_notifications_does_not_matter(
            told_in in prop::collection::vec(0_usize..3, 0..8),
            reversed in any::<bool>(),
        ) {
            let mut life = vec![RefundFact::Pending, RefundFact::Succeeded];
            if reversed {
                life.push(failed());
            }
            let all: Vec<_> = told_in.iter().filter_map(|index| life.get(*index)).chain(&life).cloned().collect();
            for order in [all.clone(), all.into_iter().rev().collect::<Vec<_>>()] {
                let mut present = refund();
                let mut paid = 0;
                for fact in order {
                    let step = present.observe(&told(fact));
                    paid += match step.posting {
                        Some(RefundPosting::Pay) => 1,
                        Some(RefundPosting::TakeBack) => -1,
                        Some(RefundPosting::Release) | None => 0,
                    };
                    present = step.next;
                }
                let expected = if reversed { RefundStatus::Failed } else { RefundStatus::Succeeded };
                prop_assert_eq!(present.status, expected);
                prop_assert_eq!(paid, i32::from(!reversed));
            }
        }
    }
}
