//! What is done, one verb per file.

pub(crate) mod answer_poll;
pub(crate) mod change_poll;
pub(crate) mod export_answers;
pub(crate) mod open_answers;
