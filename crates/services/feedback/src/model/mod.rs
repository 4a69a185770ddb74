//! Polls, answers and what they add up to, as plain data and pure functions.

mod answer;
mod poll;
mod question;
mod results;

pub(crate) use answer::{Answer, AnswerItem, Checked, GivenItem, Value, check, fill};
pub(crate) use poll::{Placement, Poll, Status, default_poll};
pub(crate) use question::{Choice, Kind, Question, is_name};
pub(crate) use results::{Counts, Results, results, tallies};
