//! Feedback: polls and their answers.

use kernel::{AnswerId, CustomerId, OrderId, PollId};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel};

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

/// Calls to feedback.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Everything feedback holds about a person, for their export.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn export(&self, customer: CustomerId) -> Result<serde_json::Value, CallError> {
        self.0.get(&format!("/internal/feedback/customers/{customer}/export")).await
    }
}
