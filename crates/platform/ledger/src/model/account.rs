use std::str::FromStr;

use kernel::AccountId;

/// A stored word that the ledger does not write.
#[derive(Debug)]
pub struct Unknown;

/// What an account's balances must never do. Pending amounts count against the account that they
/// would leave, and for nobody until they are posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Anything goes: the outside world, revenue, what has been sold.
    None,
    /// `debits_posted + debits_pending <= credits_posted`: stock, a wallet, a gift card.
    DebitsMustNotExceedCredits,
    /// `credits_posted + credits_pending <= debits_posted`: what may be refunded of a payment.
    CreditsMustNotExceedDebits,
}

impl Guard {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::DebitsMustNotExceedCredits => "debits_must_not_exceed_credits",
            Self::CreditsMustNotExceedDebits => "credits_must_not_exceed_debits",
        }
    }
}

impl FromStr for Guard {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        [Self::None, Self::DebitsMustNotExceedCredits, Self::CreditsMustNotExceedDebits]
            .into_iter()
            .find(|guard| guard.as_str() == text)
            .ok_or(Unknown)
    }
}

/// An account to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, chosen by the owner.
    pub id: AccountId,
    /// What it counts: an ISO 4217 code for money, a variant id for stock. A transfer joins two
    /// accounts of one unit.
    pub unit: String,
    /// What it is for, in the owner's words: `stock`, `sold`, `captured`.
    pub kind: String,
    /// What its balances must never do.
    pub guard: Guard,
}

/// The four sums of an account, each zero or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Debits that are reserved and neither posted nor void.
    pub debits_pending: i64,
    /// Debits that stand.
    pub debits_posted: i64,
    /// Credits that are reserved and neither posted nor void.
    pub credits_pending: i64,
    /// Credits that stand.
    pub credits_posted: i64,
}

impl Balance {
    /// What a credit-normal account can still give: `credits_posted - debits_posted - debits_pending`.
    /// For a variant's stock account it is the number that may be promised to a buyer.
    pub const fn credit_available(&self) -> i64 {
        self.credits_posted.saturating_sub(self.debits_posted).saturating_sub(self.debits_pending)
    }

    /// What a debit-normal account can still take back:
    /// `debits_posted - credits_posted - credits_pending`.
    pub const fn debit_available(&self) -> i64 {
        self.debits_posted.saturating_sub(self.credits_posted).saturating_sub(self.credits_pending)
    }
}

/// Which end of a transfer an account is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Debit,
    Credit,
}

/// Why an amount cannot be laid on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The guard leaves only `available`.
    Guard { available: i64 },
    /// A sum would leave 64 bits.
    Overflow,
}

/// An account with its balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) account: Account,
    pub(crate) balance: Balance,
}

impl Holding {
    /// Whether `amount` more may be laid on `side`, pending or posted.
    pub(crate) fn admit(&self, side: Side, amount: i64) -> Result<(), Limit> {
        let balance = &self.balance;
        let (available, pending, posted) = match side {
            Side::Debit => (
                (self.account.guard == Guard::DebitsMustNotExceedCredits).then(|| balance.credit_available()),
                balance.debits_pending,
                balance.debits_posted,
            ),
            Side::Credit => (
                (self.account.guard == Guard::CreditsMustNotExceedDebits).then(|| balance.debit_available()),
                balance.credits_pending,
                balance.credits_posted,
            ),
        };
        if let Some(available) = available.filter(|available| *available < amount) {
            return Err(Limit::Guard { available });
        }
        // Pending and posted together stay within 64 bits, so that posting can never overflow.
        let sum = pending.checked_add(posted).and_then(|sum| sum.checked_add(amount));
        sum.map(|_| ()).ok_or(Limit::Overflow)
    }

    /// Adds to the pending sum of `side`; a negative amount releases.
    pub(crate) fn add_pending(&mut self, side: Side, amount: i64) {
        let sum = match side {
            Side::Debit => &mut self.balance.debits_pending,
            Side::Credit => &mut self.balance.credits_pending,
        };
        *sum = sum.saturating_add(amount);
    }

    /// Adds to the posted sum of `side`.
    pub(crate) fn add_posted(&mut self, side: Side, amount: i64) {
        let sum = match side {
            Side::Debit => &mut self.balance.debits_posted,
            Side::Credit => &mut self.balance.credits_posted,
        };
        *sum = sum.saturating_add(amount);
    }
}
