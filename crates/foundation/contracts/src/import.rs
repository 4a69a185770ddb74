//! What became of one imported record; the same for every kind of record.

use serde::{Deserialize, Serialize};

/// Whether an import is for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Keep what is imported.
    Apply,
    /// Do everything, tell what would become of each record, and take it all back.
    DryRun,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// It was not there before.
    Created,
    /// It was there and differed.
    Updated,
    /// It was there, the same to the last field.
    Unchanged,
    /// It was not taken.
    Refused {
        /// The stable code.
        code: String,
        /// Which field, when one is to blame.
        field: Option<String>,
        /// The sentence for a person.
        detail: String,
    },
}

impl Verdict {
    /// A refusal on account of `field`.
    pub fn refused(code: &str, field: Option<&str>, detail: impl Into<String>) -> Self {
        Self::Refused { code: code.to_owned(), field: field.map(str::to_owned), detail: detail.into() }
    }
}
