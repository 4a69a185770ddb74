//! Background work.

pub(crate) mod answer_notes;
pub(crate) mod upkeep;
