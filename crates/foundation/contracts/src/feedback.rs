//! Feedback: polls and their answers.

use kernel::{AnswerId, CustomerId, OrderId, PollId};
use serde::{Deserialize, Serialize};

use crate::event::event;

/// A poll was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollAnswered {
    /// The answer.
    pub answer_id: AnswerId,
    /// The poll.
    pub poll_id: PollId,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// Who answered; none for guests.
    pub customer_id: Option<CustomerId>,
    /// The score, when the poll asks for one.
    pub score: Option<i64>,
}
event!(PollAnswered, "feedback.poll_answered.v1", poll_id);
