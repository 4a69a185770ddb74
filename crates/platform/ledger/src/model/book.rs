use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::{AccountId, Timestamp, TransferId};

use super::account::Limit;
use super::{
    Holding, Movement, Record, RecordKind, Refusal, Rejection, Resolution, Shortfall, Side, Transfer,
    TransferKind,
};

/// What is to be written: the accounts whose balances changed, and the transfers that are new or
/// resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) holdings: Vec<Holding>,
    pub(crate) records: Vec<Record>,
}

/// The part of a ledger that a slice touches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    holdings: BTreeMap<AccountId, Holding>,
    records: HashMap<TransferId, Record>,
    changed_holdings: BTreeSet<AccountId>,
    // In the order of the slice: a pending transfer comes before what resolves it.
    changed_records: Vec<TransferId>,
}

/// Why one transfer of a slice is not applied.
enum Stop {
    Short { account: AccountId, wanted: i64, available: i64 },
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Book {
    /// The accounts and transfers as they are stored.
    pub(crate) fn new(
        holdings: impl IntoIterator<Item = Holding>,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        Self {
            holdings: holdings.into_iter().map(|holding| (holding.account.id, holding)).collect(),
            records: records.into_iter().map(|record| (record.id, record)).collect(),
            changed_holdings: BTreeSet::new(),
            changed_records: Vec::new(),
        }
    }

    /// Applies the slice in its order, all of it or nothing.
    ///
    /// A transfer that a guard forbids is passed over and the rest is still looked at, so that one
    /// answer names every transfer that falls short; any other refusal ends it at once.
    pub(crate) fn decide(&self, slice: &[Transfer], now: Timestamp) -> Result<Changes, Rejection> {
        let mut book = self.clone();
        let mut shortfalls = Vec::new();
        for (index, transfer) in slice.iter().enumerate() {
            match book.apply(transfer, now) {
                Ok(()) => {}
                Err(Stop::Short { account, wanted, available }) => {
                    shortfalls.push(Shortfall { index, account, wanted, available });
                }
                // What comes after a shortfall may be refused only because of it, so the shortfall is told.
                Err(Stop::Refused(_)) if !shortfalls.is_empty() => break,
                Err(Stop::Refused(refusal)) => return Err(Rejection::Refused { index, refusal }),
            }
        }
        if shortfalls.is_empty() { Ok(book.into_changes()) } else { Err(Rejection::Exceeds(shortfalls)) }
    }

    /// Releases every pending transfer here whose time is over at `now` and whose accounts are both
    /// here, the longest overdue first. The book goes on from there.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Changes {
        let mut due: Vec<(Timestamp, TransferId, Movement)> = self
            .records
            .values()
            .filter_map(|record| Some((record.due_at(now)?, record.id, record.movement)))
            .collect();
        due.sort_unstable_by_key(|(at, id, _)| (*at, *id));
        for (_, id, movement) in due {
            if self.holdings.contains_key(&movement.debit) && self.holdings.contains_key(&movement.credit) {
                self.resolve(id, Resolution::Expired);
                self.lay(&movement, |holding, side| holding.add_pending(side, -movement.amount));
            }
        }
        let changes = self.clone().into_changes();
        self.changed_holdings.clear();
        self.changed_records.clear();
        changes
    }

    /// Adds transfers to look at.
    pub(crate) fn add_records(&mut self, records: impl IntoIterator<Item = Record>) {
        self.records.extend(records.into_iter().map(|record| (record.id, record)));
    }

    fn apply(&mut self, transfer: &Transfer, now: Timestamp) -> Result<(), Stop> {
        if transfer.reference.len() > super::MAX_TEXT_LEN {
            return Err(Refusal::ReferenceTooLong.into());
        }
        if let Some(record) = self.records.get(&transfer.id) {
            return if self.is_replay(transfer, record) { Ok(()) } else { Err(Refusal::IdReused.into()) };
        }
        let (kind, movement) = match transfer.kind {
            TransferKind::Single(movement) => {
                self.admit(&movement)?;
                self.lay(&movement, |holding, side| holding.add_posted(side, movement.amount));
                (RecordKind::Single, movement)
            }
            TransferKind::Pending { movement, timeout } => {
                let expires_at = now.plus(timeout);
                if expires_at <= now || expires_at == Timestamp::from_micros(i64::MAX) {
                    return Err(Refusal::TimeoutOutOfRange.into());
                }
                self.admit(&movement)?;
                self.lay(&movement, |holding, side| holding.add_pending(side, movement.amount));
                (RecordKind::Pending { expires_at, resolution: None }, movement)
            }
            TransferKind::PostPending { pending, amount } => {
                let reserved = self.open_pending(pending, now)?;
                let movement = Movement { amount: amount.unwrap_or(reserved.amount), ..reserved };
                if movement.amount <= 0 {
                    return Err(Refusal::AmountNotPositive.into());
                }
                if movement.amount > reserved.amount {
                    return Err(Refusal::ExceedsPending.into());
                }
                self.resolve(pending, Resolution::Posted);
                self.lay(&movement, |holding, side| {
                    holding.add_pending(side, -reserved.amount);
                    holding.add_posted(side, movement.amount);
                });
                (RecordKind::PostPending { pending }, movement)
            }
            TransferKind::VoidPending { pending } => {
                let reserved = self.open_pending(pending, now)?;
                self.resolve(pending, Resolution::Voided);
                self.lay(&reserved, |holding, side| holding.add_pending(side, -reserved.amount));
                (RecordKind::VoidPending { pending }, reserved)
            }
        };
        let reference = transfer.reference.clone();
        self.records
            .insert(transfer.id, Record { id: transfer.id, kind, movement, reference, recorded_at: now });
        self.changed_records.push(transfer.id);
        Ok(())
    }

    /// Whether `record` is what `transfer` asks for.
    fn is_replay(&self, transfer: &Transfer, record: &Record) -> bool {
        let same = match (transfer.kind, record.kind) {
            (TransferKind::Single(movement), RecordKind::Single) => movement == record.movement,
            (TransferKind::Pending { movement, timeout }, RecordKind::Pending { expires_at, .. }) => {
                movement == record.movement && record.recorded_at.plus(timeout) == expires_at
            }
            (TransferKind::PostPending { pending, amount }, RecordKind::PostPending { pending: posted }) => {
                let reserved = self.records.get(&pending).map(|pending| pending.movement.amount);
                pending == posted && amount.or(reserved) == Some(record.movement.amount)
            }
            (TransferKind::VoidPending { pending }, RecordKind::VoidPending { pending: voided }) => {
                pending == voided
            }
            _ => false,
        };
        same && transfer.reference == record.reference
    }

    /// Whether the movement is sound and both accounts take it.
    fn admit(&self, movement: &Movement) -> Result<(), Stop> {
        if movement.amount <= 0 {
            return Err(Refusal::AmountNotPositive.into());
        }
        if movement.debit == movement.credit {
            return Err(Refusal::SameAccount.into());
        }
        let find = |id| self.holdings.get(&id).ok_or(Refusal::UnknownAccount(id));
        let (debit, credit) = (find(movement.debit)?, find(movement.credit)?);
        if debit.account.unit != credit.account.unit {
            return Err(Refusal::UnitsDiffer.into());
        }
        for (holding, side) in [(debit, Side::Debit), (credit, Side::Credit)] {
            let account = holding.account.id;
            holding.admit(side, movement.amount).map_err(|limit| match limit {
                Limit::Guard { available } => Stop::Short { account, wanted: movement.amount, available },
                Limit::Overflow => Stop::Refused(Refusal::Overflow(account)),
            })?;
        }
        Ok(())
    }

    /// What the pending transfer reserves, when it still does.
    fn open_pending(&self, id: TransferId, now: Timestamp) -> Result<Movement, Refusal> {
        let record = self.records.get(&id).ok_or(Refusal::UnknownPending)?;
        let RecordKind::Pending { expires_at, resolution } = record.kind else {
            return Err(Refusal::NotPending);
        };
        match resolution {
            Some(Resolution::Posted) => Err(Refusal::AlreadyPosted),
            Some(Resolution::Voided) => Err(Refusal::AlreadyVoided),
            Some(Resolution::Expired) => Err(Refusal::Expired),
            None if expires_at <= now => Err(Refusal::Expired),
            None => Ok(record.movement),
        }
    }

    fn resolve(&mut self, id: TransferId, how: Resolution) {
        if let Some(Record { kind: RecordKind::Pending { resolution, .. }, .. }) = self.records.get_mut(&id) {
            *resolution = Some(how);
            // One that this slice recorded itself is written once, with its end.
            if !self.changed_records.contains(&id) {
                self.changed_records.push(id);
            }
        }
    }

    fn lay(&mut self, movement: &Movement, change: impl Fn(&mut Holding, Side)) {
        for (id, side) in [(movement.debit, Side::Debit), (movement.credit, Side::Credit)] {
            if let Some(holding) = self.holdings.get_mut(&id) {
                change(holding, side);
                self.changed_holdings.insert(id);
            }
        }
    }

    fn into_changes(mut self) -> Changes {
        Changes {
            holdings: self.changed_holdings.iter().filter_map(|id| self.holdings.remove(id)).collect(),
            records: self.changed_records.iter().filter_map(|id| self.records.remove(id)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::model::{Account, Balance, Guard};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn account(number: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(number))
    }

    fn id(number: u128) -> TransferId {
        TransferId::from_uuid(Uuid::from_u128(number))
    }

    fn movement(debit: u128, credit: u128, amount: i64) -> Movement {
        Movement { debit: account(debit), credit: account(credit), amount }
    }

    /// Accounts 0 (free), 1 (credit-normal) and 2 (debit-normal), empty.
    fn book() -> Book {
        let guards = [Guard::None, Guard::DebitsMustNotExceedCredits, Guard::CreditsMustNotExceedDebits];
        let holdings = guards.into_iter().enumerate().map(|(number, guard)| Holding {
            account: Account { id: account(number as u128), unit: "EUR".into(), kind: "test".into(), guard },
            balance: Balance::default(),
        });
        Book::new(holdings, [])
    }

    fn evolve(book: &mut Book, changes: Changes) {
        book.add_records(changes.records);
        book.holdings.extend(changes.holdings.into_iter().map(|holding| (holding.account.id, holding)));
    }

    fn any_transfer() -> impl Strategy<Value = Transfer> {
        let amount =
            prop_oneof![20 => 1..50_i64, 1 => Just(i64::MAX), 1 => Just(i64::MAX / 2), 1 => -1..1_i64];
        let any_movement = (0..3_u128, 0..3_u128, amount.clone())
            .prop_map(|(debit, credit, amount)| movement(debit, credit, amount));
        let kind = prop_oneof![
            any_movement.clone().prop_map(TransferKind::Single),
            (any_movement, 0..30_u64).prop_map(|(movement, seconds)| TransferKind::Pending {
                movement,
                timeout: Duration::from_secs(seconds)
            }),
            (0..20_u128, proptest::option::of(amount))
                .prop_map(|(pending, amount)| TransferKind::PostPending { pending: id(pending), amount }),
            (0..20_u128).prop_map(|pending| TransferKind::VoidPending { pending: id(pending) }),
        ];
        (0..20_u128, kind).prop_map(|(number, kind)| Transfer {
            id: id(number),
            kind,
            reference: String::new(),
        })
    }

    fn check_invariants(book: &Book) {
        let sum = |of: fn(&Balance) -> i64| -> i128 {
            book.holdings.values().map(|holding| i128::from(of(&holding.balance))).sum()
        };
        assert_eq!(sum(|it| it.debits_posted), sum(|it| it.credits_posted));
        assert_eq!(sum(|it| it.debits_pending), sum(|it| it.credits_pending));
        for Holding { account, balance } in book.holdings.values() {
            let Balance { debits_pending, debits_posted, credits_pending, credits_posted } = *balance;
            assert!(
                [debits_pending, debits_posted, credits_pending, credits_posted].iter().all(|it| *it >= 0)
            );
            let debits = debits_pending.checked_add(debits_posted).unwrap();
            let credits = credits_pending.checked_add(credits_posted).unwrap();
            assert!(account.guard != Guard::DebitsMustNotExceedCredits || debits <= credits_posted);
            assert!(account.guard != Guard::CreditsMustNotExceedDebits || credits <= debits_posted);
            // The balances are the sums of the records.
            let mut summed = Balance::default();
            for record in book.records.values() {
                let amount = record.movement.amount;
                let (pending, posted) = match record.kind {
                    RecordKind::Pending { resolution: None, .. } => (amount, 0),
                    RecordKind::Single | RecordKind::PostPending { .. } => (0, amount),
                    RecordKind::Pending { .. } | RecordKind::VoidPending { .. } => (0, 0),
                };
                if record.movement.debit == account.id {
                    summed.debits_pending += pending;
                    summed.debits_posted += posted;
                }
                if record.movement.credit == account.id {
                    summed.credits_pending += pending;
                    summed.credits_posted += posted;
                }
            }
            assert_eq!(*balance, summed);
        }
    }

    #[test]
    fn posting_never_overflows_because_reserving_would_have() {
        let mut book = book();
        let reserve = Transfer::pending(id(1), movement(0, 1, i64::MAX - 5), Duration::from_secs(1), "");
        let changes = book.decide(&[reserve], NOW).unwrap();
        evolve(&mut book, changes);
        let more = Transfer::single(id(2), movement(0, 1, 6), "");
        let refusal = Refusal::Overflow(account(0));
        assert_eq!(book.decide(&[more], NOW), Err(Rejection::Refused { index: 0, refusal }));
        let rest = Transfer::single(id(2), movement(0, 1, 5), "");
        let post = Transfer::post(id(3), id(1), None, "");
        let changes = book.decide(&[rest, post], NOW).unwrap();
        evolve(&mut book, changes);
        assert_eq!(book.holdings[&account(1)].balance.credits_posted, i64::MAX);
        check_invariants(&book);
    }

    #[test]
    fn what_a_shortfall_drags_along_is_not_told_instead_of_it() {
        let reserve = Transfer::pending(id(1), movement(1, 0, 5), Duration::from_secs(1), "");
        let post = Transfer::post(id(2), id(1), None, "");
        let shortfall = Shortfall { index: 0, account: account(1), wanted: 5, available: 0 };
        assert_eq!(book().decide(&[reserve, post], NOW), Err(Rejection::Exceeds(vec![shortfall])));
    }

    proptest! {
        #[test]
        fn sums_and_guards_hold_through_every_history(
            slices in proptest::collection::vec((proptest::collection::vec(any_transfer(), 1..4), 0..4_u64), 1..30),
        ) {
            let (mut book, mut now) = (book(), NOW);
            for (slice, seconds) in slices {
                now = now.plus(Duration::from_secs(seconds));
                if let Ok(changes) = book.decide(&slice, now) {
                    evolve(&mut book, changes);
                    // Asked again, all of it is done already.
                    prop_assert_eq!(book.decide(&slice, now), Ok(Changes::default()));
                }
                check_invariants(&book);
                if seconds == 0 {
                    book.expire(now);
                    prop_assert!(book.records.values().all(|record| record.due_at(now).is_none()));
                    prop_assert_eq!(book.expire(now), Changes::default());
                    check_invariants(&book);
                }
            }
        }
    }
}
