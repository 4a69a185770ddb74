use kernel::{Currency, Money, Timestamp};

/// One record of a file: where it stands, what the file calls it, and what it says.
#[derive(Debug)]
pub(crate) struct Record<T> {
    /// For people: `line 12`, `record 3`.
    pub(crate) place: String,
    /// What the file calls it, as far as that could be read.
    pub(crate) name: String,
    /// The record, or why it cannot be one.
    pub(crate) content: Result<T, Refusal>,
}

/// Why a record is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The stable code.
    pub(crate) code: String,
    /// The column or member to blame.
    pub(crate) field: Option<String>,
    /// The sentence for a person.
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(code: &str, field: Option<&str>, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), field: field.map(str::to_owned), detail: detail.into() }
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::new("import.missing", Some(field), format!("{field} is empty"))
    }

    pub(crate) fn invalid(field: &str, value: &str, wanted: &str) -> Self {
        let shown: String = value.chars().take(40).collect();
        Self::new("import.invalid", Some(field), format!("{field} is {shown:?}, which is not {wanted}"))
    }
}

/// Somebody who may not sign in elsewhere: taken over, they could.
pub(crate) fn account_disabled(field: &str) -> Refusal {
    let detail = "the account is disabled, and here it would not be; enable it there, or leave it out";
    Refusal::new("import.account_disabled", Some(field), detail)
}

/// Since when somebody is a customer, refused when nobody knows.
pub(crate) fn since(field: &str, at: Option<Timestamp>) -> Result<Timestamp, Refusal> {
    at.ok_or_else(|| Refusal::missing(field))
}

/// The moment so many milliseconds after the beginning of 1970.
pub(crate) fn from_millis(millis: i64) -> Option<Timestamp> {
    millis.checked_mul(1_000).map(Timestamp::from_micros)
}

/// Reads a decimal amount in major units.
pub(crate) fn money(field: &str, text: &str, currency: Currency) -> Result<Money, Refusal> {
    Money::parse_major(text, currency)
        .map_err(|_| Refusal::invalid(field, text, &format!("an amount of {currency}")))
}

/// Reads an ISO 4217 code.
pub(crate) fn currency(field: &str, text: &str) -> Result<Currency, Refusal> {
    text.parse().map_err(|_| Refusal::invalid(field, text, "an ISO 4217 currency code"))
}

/// Reads a count of things, zero or more.
pub(crate) fn count(field: &str, text: &str) -> Result<i64, Refusal> {
    text.parse()
        .ok()
        .filter(|count| (0..=1_000_000_000).contains(count))
        .ok_or_else(|| Refusal::invalid(field, text, "a whole number from 0 to 1,000,000,000"))
}

/// Reads RFC 3339, Shopify's `2026-11-21 22:49:32 +0100`, or a bare day, which means its beginning.
pub(crate) fn moment(field: &str, text: &str) -> Result<Timestamp, Refusal> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<kernel::Date>() {
        return Ok(day.start());
    }
    let shopify = text.split_whitespace().collect::<Vec<_>>();
    if let [day, time, offset] = shopify[..]
        && offset.len() == 5
    {
        let (hours, minutes) = offset.split_at(3);
        if let Ok(at) = format!("{day}T{time}{hours}:{minutes}").parse::<Timestamp>() {
            return Ok(at);
        }
    }
    Err(Refusal::invalid(field, text, "a date and time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_three_forms() {
        for (text, read) in [
            ("2026-11-21T22:49:32Z", "2026-11-21T22:49:32.000000Z"),
            ("2026-11-21 22:49:32 +0100", "2026-11-21T21:49:32.000000Z"),
            ("1997-01-01", "1997-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(moment("at", text).unwrap().to_string(), read);
        }
        for text in ["", "now", "21.11.2026", "2026-11-21 22:49:32 0100x"] {
            assert_eq!(moment("at", text).unwrap_err().code, "import.invalid", "{text}");
        }
    }
}
