use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::{AccountId, Timestamp, TransferId};

use super::account::Limit;
use super::{Holding, Movement, Record, RecordKind, Resolution, Side, Transfer, TransferKind};

/// A transfer that an account's guard does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Which transfer of the slice, counted from zero.
    pub index: usize,
    /// The account that does not hold enough.
    pub account: AccountId,
    /// What the transfer asks of it.
    pub wanted: i64,
    /// What is left for this transfer after those before it in the slice; less than `wanted`.
    pub available: i64,
}

/// Why a transfer cannot be, whatever the guards say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The amount is not more than zero.
    #[error("the amount is not more than zero")]
    AmountNotPositive,
    /// The time-out is shorter than a microsecond or ends after all time.
    #[error("the time-out is no usable length of time")]
    TimeoutOutOfRange,
    /// The reference is too long.
    #[error("the reference is too long")]
    ReferenceTooLong,
    /// Debit and credit are one account.
    #[error("debit and credit are one account")]
    SameAccount,
    /// No such account is open.
    #[error("the account {0} is not open")]
    UnknownAccount(AccountId),
    /// The two accounts count different things.
    #[error("the two accounts count different units")]
    UnitsDiffer,
    /// A sum would leave 64 bits.
    #[error("a sum of the account {0} would leave 64 bits")]
    Overflow(AccountId),
    /// The id is taken by a transfer with another content.
    #[error("the id is taken by a transfer with another content")]
    IdReused,
    /// There is no such pending transfer.
    #[error("there is no such pending transfer")]
    UnknownPending,
    /// The transfer that is to be posted or voided is not a pending one.
    #[error("the transfer to resolve is not a pending one")]
    NotPending,
    /// More is posted than was reserved.
    #[error("more is posted than was reserved")]
    ExceedsPending,
    /// It has been posted already, under another id.
    #[error("it has been posted already")]
    AlreadyPosted,
    /// It has been voided already, under another id.
    #[error("it has been voided already")]
    AlreadyVoided,
    /// Its time is over, so it is void.
    #[error("its time is over")]
    Expired,
}

/// Why a slice is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    Exceeds(Vec<Shortfall>),
    Refused { index: usize, refusal: Refusal },
}

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

    /// Whether the account is here.
    pub(crate) fn has_account(&self, id: AccountId) -> bool {
        self.holdings.contains_key(&id)
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
    /// here. The book goes on from there.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Changes {
        let due: Vec<TransferId> =
            self.records.values().filter(|record| record.is_due(now)).map(|record| record.id).collect();
        for id in due {
            let Some(Record { movement, .. }) = self.records.get(&id).cloned() else { continue };
            if self.has_account(movement.debit) && self.has_account(movement.credit) {
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
