use kernel::AccountId;

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
