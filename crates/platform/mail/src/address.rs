use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};

/// A mail address within the limits of RFC 5321, kept as it was written.
///
/// The local part is an ASCII dot-atom: quoted forms (`"a b"@…`) and the non-ASCII local parts of
/// RFC 6531 are refused, because too many servers on the way do. The domain has at least two
/// labels and may be international. `Debug` shows only `j***@example.com`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

/// A text that is not an address which mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address")]
pub struct AddressError;

const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;

impl Address {
    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the at sign.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain as it was written.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The form to look somebody up by: everything in lower case, the domain in its ASCII form
    /// (IDNA 2008 by way of UTS 46, which includes NFC).
    ///
    /// RFC 5321 lets a server tell `Jane` from `jane`, but no large one does, and a person who
    /// signs up on a phone that capitalises must find the account again. Dots and `+tags` stay:
    /// what they mean is the provider's affair.
    pub fn normalised(&self) -> String {
        self.to_ascii().to_ascii_lowercase()
    }

    /// The address with its domain in ASCII form, as it is put into an envelope.
    pub(crate) fn to_ascii(&self) -> String {
        // The domain was converted once already, when the address was read.
        let domain = ascii_domain(self.domain()).unwrap_or(Cow::Borrowed(self.domain()));
        format!("{}@{domain}", self.local_part())
    }
}

fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()
}

fn is_local_part(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    text.len() <= MAX_LOCAL_PART && text.split('.').all(is_atom)
}

fn is_domain(text: &str) -> bool {
    ascii_domain(text).is_some_and(|domain| {
        domain.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()))
    })
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = text.rfind('@').ok_or(AddressError)?;
        let address = Self { text: text.to_owned(), at };
        let fits = text.len() <= MAX_ADDRESS;
        if fits
            && is_local_part(address.local_part())
            && is_domain(address.domain())
            && address.to_ascii().len() <= MAX_ADDRESS
        {
            Ok(address)
        } else {
            Err(AddressError)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.local_part().get(..1).unwrap_or_default();
        write!(f, "{first}***@{}", self.domain())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::ToSchema for Address {
    // A postal address is an address too.
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("MailAddress")
    }
}

impl utoipa::PartialSchema for Address {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .max_length(Some(MAX_ADDRESS))
            .examples(["jane@example.com"])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_in_use_are_read() {
        for text in ["jane@example.com", "Jane.O'Brien+shop@Mail.Example.co.uk", "a@b.cd", "x@bücher.example"]
        {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long = format!("a@{}com", "label123.".repeat(31));
        for text in [
            "",
            "@",
            "jane",
            "jane@",
            "@example.com",
            "jane@localhost",
            "jane@127.0.0.1",
            "jane@[127.0.0.1]",
            ".a@b.cd",
            "a.@b.cd",
            "a..b@b.cd",
            "a b@b.cd",
            "\"a b\"@b.cd",
            "a@b@c.de",
            "a@-b.cd",
            "a@b..cd",
            "a@b.cd.",
            "a@b_c.de",
            "a@b.cd\r\nBcc: x@y.zz",
            "a\n@b.cd",
            "zoë@b.cd",
            "a@b.c\0d",
            "<a@b.cd>",
            "a@b.cd,e@f.gh",
            &long_local,
            &long_label,
            &long,
        ] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn one_person_has_one_normalised_form() {
        let normalised = |text: &str| text.parse::<Address>().unwrap().normalised();
        assert_eq!(normalised("Jane@EXAMPLE.com"), "jane@example.com");
        assert_eq!(normalised("a@BÜCHER.example"), "a@xn--bcher-kva.example");
        assert_eq!(normalised("a@bu\u{308}cher.example"), normalised("a@b\u{fc}cher.example"));
        assert_eq!(normalised("a.b+c@example.com"), "a.b+c@example.com");
    }

    #[test]
    fn debug_hides_the_person() {
        let address: Address = "jane.doe@example.com".parse().unwrap();
        assert_eq!(format!("{address:?}"), "j***@example.com");
        assert_eq!(serde_json::to_string(&address).unwrap(), "\"jane.doe@example.com\"");
        assert!(serde_json::from_str::<Address>("\"nobody\"").is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_an_address(text in ".{0,40}@[a-zA-Z0-9ü.\\-\r\n ]{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(!address.to_ascii().contains(|c: char| c.is_control() || c.is_whitespace() || "<>,\"".contains(c)));
                prop_assert!(address.to_ascii().is_ascii());
                prop_assert_eq!(address.normalised().parse::<Address>().unwrap().normalised(), address.normalised());
            }
        }
    }
}
