use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// One question of a poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Question {
    /// Its name within the poll: lower-case letters, digits and `_`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", examples("satisfaction"))]
    pub(crate) id: String,
    /// What sort of answer it takes.
    pub(crate) kind: Kind,
    /// What is asked.
    #[schema(min_length = 1, max_length = 200, examples("How was shopping with us?"))]
    pub(crate) label: String,
    /// What there is to choose from; for `single_choice` and `multiple_choice` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(min_items = 2, max_items = 20)]
    pub(crate) choices: Vec<Choice>,
    /// Whether the poll cannot be answered without it.
    #[serde(default)]
    pub(crate) required: bool,
    /// The most characters of an answer; for `text` only, which has 1,000 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_000)]
    pub(crate) max_length: Option<usize>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Choice {
    /// Its name within the question: lower-case letters, digits and `_`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub(crate) id: String,
    /// What is shown.
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) label: String,
}

/// What sort of answer a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// 1 (bad) to 5 (good).
    Rating,
    /// 0 to 10: how likely the shop is recommended. 9 and 10 are promoters, 0 to 6 detractors.
    Nps,
    /// One of the choices.
    SingleChoice,
    /// One or several of the choices.
    MultipleChoice,
    /// Free text.
    Text,
}

impl Kind {
    /// The numbers that it takes, when it takes numbers.
    pub(crate) const fn scale(self) -> Option<RangeInclusive<i64>> {
        match self {
            Self::Rating => Some(1..=5),
            Self::Nps => Some(0..=10),
            Self::SingleChoice | Self::MultipleChoice | Self::Text => None,
        }
    }

    /// Whether it has choices.
    pub(crate) const fn has_choices(self) -> bool {
        matches!(self, Self::SingleChoice | Self::MultipleChoice)
    }
}

impl Question {
    /// The most questions of a poll.
    pub(crate) const MOST: usize = 20;
    /// The most choices of a question.
    pub(crate) const MOST_CHOICES: usize = 20;
    /// The most characters that a question may allow its text.
    pub(crate) const LONGEST_TEXT: usize = 2_000;
    const USUAL_TEXT: usize = 1_000;

    /// The most characters that a text in answer to it may have.
    pub(crate) fn text_limit(&self) -> usize {
        self.max_length.unwrap_or(Self::USUAL_TEXT)
    }

    /// Whether it has the choice `id`.
    pub(crate) fn offers(&self, id: &str) -> bool {
        self.choices.iter().any(|choice| choice.id == id)
    }
}

/// Whether `id` may name a question or a choice.
pub(crate) fn is_name(id: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&id.len()) && id.bytes().all(sound)
}
