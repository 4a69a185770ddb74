//! What lists of orders can be narrowed by.

use kernel::{Date, Timestamp};
use serde::{Deserialize, Deserializer};

/// A moment, or a day of UTC that stands for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayOrMoment {
    Day(Date),
    Moment(Timestamp),
}

impl DayOrMoment {
    /// Where a range that begins with it begins.
    pub(super) fn from(self) -> Timestamp {
        match self {
            Self::Day(day) => day.start(),
            Self::Moment(at) => at,
        }
    }

    /// Where a range that ends with it ends: just before the moment, or with the day.
    pub(super) fn to(self) -> Timestamp {
        match self {
            Self::Day(day) => day.next().start(),
            Self::Moment(at) => at,
        }
    }
}

impl<'de> Deserialize<'de> for DayOrMoment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse()
            .map(Self::Day)
            .or_else(|_| text.parse().map(Self::Moment))
            .map_err(|_| serde::de::Error::custom("neither a day (2026-11-21) nor a moment (RFC 3339)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<DayOrMoment> {
        serde_json::from_value(serde_json::Value::String(text.into())).ok()
    }

    #[test]
    fn a_day_stands_for_all_of_it() {
        let day = read("1997-01-31").unwrap();
        assert_eq!(day.from().to_string(), "1997-01-31T00:00:00.000000Z");
        assert_eq!(day.to().to_string(), "1997-02-01T00:00:00.000000Z");
        let moment = read("1997-01-31T10:00:00Z").unwrap();
        assert_eq!(moment.from(), moment.to());
        assert_eq!(read("yesterday"), None);
    }
}
