//! The ledger as one would explain it: a list of what happened, added up anew for every question. It shares
//! no code with the real one.

use std::collections::BTreeMap;

use kernel::{AccountId, Timestamp, TransferId};
use ledger::{Account, Balance, Guard, Movement, Refusal, Shortfall, Transfer, TransferKind};

/// What became of a slice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done,
    Exceeds(Vec<Shortfall>),
    Refused(usize, Refusal),
}

#[derive(Clone, Debug)]
struct Entry {
    transfer: Transfer,
    movement: Movement,
    expires_at: Option<Timestamp>,
    ended: Option<Refusal>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    accounts: BTreeMap<AccountId, Account>,
    entries: Vec<Entry>,
}

impl Naive {
    pub(crate) fn new(accounts: &[Account]) -> Self {
        let accounts = accounts.iter().map(|account| (account.id, account.clone())).collect();
        Self { accounts, entries: Vec::new() }
    }

    pub(crate) fn balance(&self, account: AccountId, now: Timestamp) -> Balance {
        let mut balance = Balance::default();
        for entry in &self.entries {
            let Movement { debit, credit, amount } = entry.movement;
            let reserved = match entry.transfer.kind {
                TransferKind::Single(_) | TransferKind::PostPending { .. } => false,
                TransferKind::Pending { .. } if self.is_open(entry, now) => true,
                TransferKind::Pending { .. } | TransferKind::VoidPending { .. } => continue,
            };
            match (account == debit, account == credit, reserved) {
                (true, _, true) => balance.debits_pending += amount,
                (true, _, false) => balance.debits_posted += amount,
                (_, true, true) => balance.credits_pending += amount,
                (_, true, false) => balance.credits_posted += amount,
                (false, false, _) => {}
            }
        }
        balance
    }

    /// How many are reserved still but overdue at `now`.
    pub(crate) fn overdue(&self, now: Timestamp) -> Vec<TransferId> {
        let overdue = |entry: &&Entry| entry.ended.is_none() && entry.expires_at.is_some_and(|at| at <= now);
        self.entries.iter().filter(overdue).map(|entry| entry.transfer.id).collect()
    }

    fn is_open(&self, entry: &Entry, now: Timestamp) -> bool {
        entry.ended.is_none() && entry.expires_at.is_some_and(|at| now < at)
    }

    pub(crate) fn transfer(&mut self, slice: &[Transfer], now: Timestamp) -> Outcome {
        let before = self.clone();
        let mut shortfalls = Vec::new();
        for (index, transfer) in slice.iter().enumerate() {
            match self.apply(transfer, now) {
                Ok(()) => {}
                Err(Stop::Short(account, wanted, available)) => {
                    shortfalls.push(Shortfall { index, account, wanted, available });
                }
                Err(Stop::Refused(refusal)) => {
                    *self = before;
                    return if shortfalls.is_empty() {
                        Outcome::Refused(index, refusal)
                    } else {
                        Outcome::Exceeds(shortfalls)
                    };
                }
            }
        }
        if shortfalls.is_empty() {
            Outcome::Done
        } else {
            *self = before;
            Outcome::Exceeds(shortfalls)
        }
    }

    fn apply(&mut self, transfer: &Transfer, now: Timestamp) -> Result<(), Stop> {
        if let Some(known) = self.entries.iter().find(|entry| entry.transfer.id == transfer.id) {
            let mut wanted = transfer.clone();
            // All of it and the full amount are the same.
            if let TransferKind::PostPending { pending, amount: amount @ None } = &mut wanted.kind {
                *amount = self.find(*pending).map(|entry| entry.movement.amount);
            }
            let mut recorded = known.transfer.clone();
            if let TransferKind::PostPending { amount, .. } = &mut recorded.kind {
                *amount = Some(known.movement.amount);
            }
            return if wanted == recorded { Ok(()) } else { Err(Stop::Refused(Refusal::IdReused)) };
        }
        let (movement, expires_at) = match transfer.kind {
            TransferKind::Single(movement) => {
                self.check(movement, now)?;
                (movement, None)
            }
            TransferKind::Pending { movement, timeout } => {
                self.check(movement, now)?;
                (movement, Some(now.plus(timeout)))
            }
            TransferKind::PostPending { pending, amount } => {
                let reserved = self.open(pending, now)?;
                let amount = amount.unwrap_or(reserved.amount);
                if amount <= 0 {
                    return Err(Stop::Refused(Refusal::AmountNotPositive));
                }
                if amount > reserved.amount {
                    return Err(Stop::Refused(Refusal::ExceedsPending));
                }
                self.end(pending, Refusal::AlreadyPosted);
                (Movement { amount, ..reserved }, None)
            }
            TransferKind::VoidPending { pending } => {
                let reserved = self.open(pending, now)?;
                self.end(pending, Refusal::AlreadyVoided);
                (reserved, None)
            }
        };
        self.entries.push(Entry { transfer: transfer.clone(), movement, expires_at, ended: None });
        Ok(())
    }

    fn check(&self, movement: Movement, now: Timestamp) -> Result<(), Stop> {
        let Movement { debit, credit, amount } = movement;
        if amount <= 0 {
            return Err(Stop::Refused(Refusal::AmountNotPositive));
        }
        if debit == credit {
            return Err(Stop::Refused(Refusal::SameAccount));
        }
        for id in [debit, credit] {
            if !self.accounts.contains_key(&id) {
                return Err(Stop::Refused(Refusal::UnknownAccount(id)));
            }
        }
        if self.accounts[&debit].unit != self.accounts[&credit].unit {
            return Err(Stop::Refused(Refusal::UnitsDiffer));
        }
        let (from, to) = (self.balance(debit, now), self.balance(credit, now));
        let left = from.credits_posted - from.debits_posted - from.debits_pending;
        if self.accounts[&debit].guard == Guard::DebitsMustNotExceedCredits && left < amount {
            return Err(Stop::Short(debit, amount, left));
        }
        let left = to.debits_posted - to.credits_posted - to.credits_pending;
        if self.accounts[&credit].guard == Guard::CreditsMustNotExceedDebits && left < amount {
            return Err(Stop::Short(credit, amount, left));
        }
        Ok(())
    }

    fn open(&self, pending: TransferId, now: Timestamp) -> Result<Movement, Stop> {
        let entry = self.find(pending).ok_or(Stop::Refused(Refusal::UnknownPending))?;
        let Some(expires_at) = entry.expires_at else { return Err(Stop::Refused(Refusal::NotPending)) };
        match entry.ended {
            Some(how) => Err(Stop::Refused(how)),
            None if expires_at <= now => Err(Stop::Refused(Refusal::Expired)),
            None => Ok(entry.movement),
        }
    }

    fn find(&self, id: TransferId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.transfer.id == id)
    }

    fn end(&mut self, pending: TransferId, how: Refusal) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.transfer.id == pending) {
            entry.ended = Some(how);
        }
    }
}

enum Stop {
    Short(AccountId, i64, i64),
    Refused(Refusal),
}
