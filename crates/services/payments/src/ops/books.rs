//! Money in the ledger.
//!
//! Two sorts of accounts, both per currency. `receivable` is what a provider owes the shop: debited
//! when money is taken, credited when it is given back. `payment` is what was taken of one payment
//! and not given back; its guard is why no payment is ever refunded beyond that.
//!
//! An authorisation is a pending transfer from the one to the other, a capture posts it, a void
//! releases it. A refund is a pending transfer the other way round.

use std::time::Duration;

use database::Tx;
use kernel::{AccountId, Currency, PaymentId, Timestamp, TransferId};
use ledger::{Account, Guard, LedgerError, Movement, Refusal, Transfer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Error;
use crate::model::attempt::uuid_of;
use crate::model::{Payment, Posting, Refund, RefundPosting};

/// Longer than any provider keeps an authorisation (a month, mostly).
const HOLD: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// Longer than any provider takes over a refund: it is the provider's word that ends it, not time.
const REFUND_HOLD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Over so many accounts the receivable of a provider and currency is spread, because every payment
/// writes to one of them; what the provider owes is their sum.
const SHARDS: u8 = 16;

/// Books what happened to `payment`.
pub(super) async fn post(
    tx: &mut Tx,
    payment: &Payment,
    postings: &[Posting],
    now: Timestamp,
) -> Result<(), Error> {
    if postings.is_empty() {
        return Ok(());
    }
    let [receivable, account] = accounts(payment);
    if postings.contains(&Posting::Hold) {
        ledger::open_accounts(tx, &[receivable.clone(), account.clone()]).await?;
    }
    let (debit, credit) = (receivable.id, account.id);
    let reference = payment.id.to_string();
    let hold = TransferId::from_uuid(payment.id.uuid());
    let slice: Vec<Transfer> = postings
        .iter()
        .map(|posting| match *posting {
            Posting::Hold => {
                let movement = Movement { debit, credit, amount: payment.amount.amount };
                Transfer::pending(hold, movement, HOLD, &reference)
            }
            Posting::Capture(amount) => {
                Transfer::post(step("captured", payment.id.uuid()), hold, Some(amount), &reference)
            }
            Posting::Release => Transfer::void(step("released", payment.id.uuid()), hold, &reference),
            Posting::TakeBack(amount) => {
                let movement = Movement { debit: credit, credit: debit, amount };
                Transfer::single(step("capture failed", payment.id.uuid()), movement, &reference)
            }
        })
        .collect();
    match ledger::transfer(tx, &slice, now).await {
        // The hold ran out here and not at the provider, whose word is what counts.
        Err(LedgerError::Refused { refusal: Refusal::Expired, .. }) => match *postings {
            [Posting::Capture(amount)] => {
                let movement = Movement { debit, credit, amount };
                let late = Transfer::single(step("captured", payment.id.uuid()), movement, &reference);
                Ok(ledger::transfer(tx, &[late], now).await?)
            }
            _ => Ok(()),
        },
        other => Ok(other?),
    }
}

/// Reserves what `refund` gives back, out of what was taken and not given back yet.
///
/// # Errors
/// [`LedgerError::Exceeds`] when that is less.
pub(super) async fn reserve(
    tx: &mut Tx,
    payment: &Payment,
    refund: &Refund,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let [receivable, account] = accounts(payment);
    let movement = Movement { debit: account.id, credit: receivable.id, amount: refund.amount.amount };
    let id = TransferId::from_uuid(refund.id.uuid());
    ledger::transfer(tx, &[Transfer::pending(id, movement, REFUND_HOLD, refund.id.to_string())], now).await
}

/// Books what happened to `refund`.
pub(super) async fn post_refund(
    tx: &mut Tx,
    payment: &Payment,
    refund: &Refund,
    posting: RefundPosting,
    now: Timestamp,
) -> Result<(), Error> {
    let reserved = TransferId::from_uuid(refund.id.uuid());
    let (subject, reference) = (refund.id.uuid(), refund.id.to_string());
    let transfer = match posting {
        RefundPosting::Pay => Transfer::post(step("refunded", subject), reserved, None, reference),
        RefundPosting::Release => Transfer::void(step("refund released", subject), reserved, reference),
        RefundPosting::TakeBack => {
            let [receivable, account] = accounts(payment);
            let movement =
                Movement { debit: receivable.id, credit: account.id, amount: refund.amount.amount };
            Transfer::single(step("refund failed", subject), movement, reference)
        }
    };
    Ok(ledger::transfer(tx, &[transfer], now).await?)
}

/// How much of `payment` can still be given back.
pub(super) async fn refundable(tx: &mut Tx, payment: &Payment, now: Timestamp) -> Result<i64, Error> {
    match ledger::balance(tx, account_of(payment.id), now).await {
        Ok(balance) => Ok(balance.credit_available()),
        // Nothing was ever set aside.
        Err(LedgerError::UnknownAccount { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The two accounts that a payment moves money between.
fn accounts(payment: &Payment) -> [Account; 2] {
    let currency = payment.amount.currency;
    let unit = currency.code().to_owned();
    let receivable = Account {
        id: receivable(&payment.provider, currency, payment.id),
        unit: unit.clone(),
        kind: format!("receivable:{}", payment.provider),
        guard: Guard::None,
    };
    let account = Account {
        id: account_of(payment.id),
        unit,
        kind: "payment".to_owned(),
        guard: Guard::DebitsMustNotExceedCredits,
    };
    [receivable, account]
}

fn account_of(payment: PaymentId) -> AccountId {
    AccountId::from_uuid(payment.uuid())
}

fn receivable(provider: &str, currency: Currency, payment: PaymentId) -> AccountId {
    // The end of a version 7 id is random.
    let shard = payment.uuid().as_bytes()[15] % SHARDS;
    AccountId::from_uuid(derived(&[b"receivable", provider.as_bytes(), currency.code().as_bytes(), &[shard]]))
}

/// The id of one step in the life of a payment or refund: the same step is booked once.
fn step(what: &str, subject: Uuid) -> TransferId {
    TransferId::from_uuid(derived(&[what.as_bytes(), subject.as_bytes()]))
}

fn derived(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(b"souk.payments.ledger");
    for part in parts {
        hash.update([0]);
        hash.update(part);
    }
    uuid_of(&hash.finalize().into())
}
