use std::str::FromStr;

use kernel::{PollId, Timestamp, Uuid};
use serde::{Deserialize, Serialize};

use super::{Choice, Kind, Question};

/// Some questions that customers are asked at one place of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Poll {
    /// Names the poll.
    pub(crate) id: PollId,
    /// Where it is asked.
    pub(crate) placement: Placement,
    /// What it is called.
    pub(crate) title: String,
    /// What is asked, in this order. It never changes: answers would change their meaning with it.
    pub(crate) questions: Vec<Question>,
    /// Whether it takes answers.
    pub(crate) status: Status,
    /// Every change raises it.
    pub(crate) version: i64,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// Where a poll is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Placement {
    /// After an order was placed, once for each order.
    PostPurchase,
}

/// Whether a poll takes answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PollStatus)]
pub(crate) enum Status {
    /// It does.
    Active,
    /// It does not; what was answered stays.
    Closed,
}

impl Placement {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PostPurchase => "post_purchase",
        }
    }
}

impl FromStr for Placement {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "post_purchase" => Ok(Self::PostPurchase),
            _ => Err(()),
        }
    }
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "active" => Ok(Self::Active),
            "closed" => Ok(Self::Closed),
            _ => Err(()),
        }
    }
}

database::text_values!(Placement, Status);

/// The id of the poll that every shop begins with. It is always the same, so that copies that start at
/// once make it once, and one that was closed stays so.
const DEFAULT_POLL: PollId = PollId::from_uuid(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0001));

/// The poll that every shop begins with.
pub(crate) fn default_poll(now: Timestamp) -> Poll {
    let question = |id: &str, kind, label: &str, required| Question {
        id: id.to_owned(),
        kind,
        label: label.to_owned(),
        choices: Vec::new(),
        required,
        max_length: None,
    };
    let choice = |(id, label): (&str, &str)| Choice { id: id.to_owned(), label: label.to_owned() };
    let ways = [
        ("search", "A search engine"),
        ("social", "Social media"),
        ("friend", "A friend"),
        ("press", "Press or a blog"),
        ("other", "Something else"),
    ];
    Poll {
        id: DEFAULT_POLL,
        placement: Placement::PostPurchase,
        title: "Your purchase".to_owned(),
        questions: vec![
            question("satisfaction", Kind::Rating, "How was shopping with us?", true),
            question("recommend", Kind::Nps, "How likely are you to recommend us to a friend?", false),
            Question {
                choices: ways.map(choice).into(),
                ..question("discovery", Kind::SingleChoice, "How did you hear about us?", false)
            },
            question("comment", Kind::Text, "Is there anything you would like to tell us?", false),
        ],
        status: Status::Active,
        version: 1,
        created_at: now,
    }
}
