use contracts::feedback::PollAnswered;
use database::Tx;
use kernel::{AnswerId, CustomerId, OrderId, PollId};

use crate::error::Error;
use crate::model::{Answer, Checked, tallies};
use crate::store::{self, answers::StoredAnswer};

/// An answer that was checked against the questions of its poll.
pub(crate) struct Submission {
    pub(crate) poll: PollId,
    pub(crate) order: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) checked: Checked,
    /// Its texts, sealed.
    pub(crate) texts: Option<Vec<u8>>,
}

/// Takes an answer, counts it and tells of it. What is returned lacks its texts, as what is stored does.
///
/// # Errors
/// [`Error::PollClosed`], [`Error::OrderNotFound`], [`Error::AlreadyAnswered`].
pub(crate) async fn answer_poll(tx: &mut Tx, submission: &Submission) -> Result<Answer, Error> {
    let Submission { poll, order, customer, checked, texts } = submission;
    let now = tx.database().clock().now();
    if !store::polls::is_active(tx, *poll).await? {
        return Err(Error::PollClosed);
    }
    // An erasure deletes the purchase, so an answer that comes after it finds none and links to nobody.
    if !store::purchases::is_open(tx, *customer, *order, now).await? {
        return Err(Error::OrderNotFound);
    }
    let answer = Answer {
        id: AnswerId::new(now, tx.database().rng()),
        poll_id: *poll,
        order_id: *order,
        answers: checked.items.clone(),
        created_at: now,
    };
    let stored = StoredAnswer { answer: answer.clone(), customer_id: Some(*customer), texts: texts.clone() };
    if !store::answers::insert(tx, &stored).await? {
        return Err(Error::AlreadyAnswered);
    }
    store::tallies::add(tx, *poll, &tallies(&checked.items)).await?;
    tx.emit(&PollAnswered {
        answer_id: answer.id,
        poll_id: *poll,
        order_id: Some(*order),
        customer_id: Some(*customer),
        score: checked.score,
    })
    .await?;
    Ok(answer)
}
