use std::fmt;

use uuid::Uuid;

/// A text that is not an id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id that begins with {prefix:?}")]
pub struct IdError {
    /// The prefix that was expected, without the underscore.
    pub prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

/// The 26 characters of a TypeID's suffix: the UUID's 128 bits in Crockford's base32,
/// most significant first, led by two zero bits (TypeID 0.3).
pub fn encode_suffix(uuid: Uuid) -> [u8; SUFFIX_LEN] {
    let mut value = uuid.as_u128();
    let mut out = [b'0'; SUFFIX_LEN];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out
}

/// The UUID of a TypeID's suffix; `None` unless it is 26 lower-case characters of the alphabet
/// that fit 128 bits.
pub fn decode_suffix(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    // The first character carries only three bits, so it ends at '7'.
    if bytes.len() != SUFFIX_LEN || bytes[0] > b'7' {
        return None;
    }
    let mut value = 0_u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

/// An id of any kind, as found where the kind is not known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnyId<'a> {
    /// The prefix, without the underscore.
    pub prefix: &'a str,
    /// The bare UUID.
    pub uuid: Uuid,
}

impl<'a> AnyId<'a> {
    /// Reads `prefix_suffix`; `None` when it is not a TypeID.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (prefix, suffix) = text.rsplit_once('_')?;
        let sound =
            !prefix.is_empty() && prefix.len() <= 63 && prefix.bytes().all(|b| b.is_ascii_lowercase());
        if !sound {
            return None;
        }
        decode_suffix(suffix).map(|uuid| Self { prefix, uuid })
    }
}

impl fmt::Display for AnyId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = encode_suffix(self.uuid);
        write!(f, "{}_{}", self.prefix, std::str::from_utf8(&suffix).unwrap_or_default())
    }
}

/// Declares a TypeID: `typed_id!(/// What it names. OrderId, "ord");`
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::__private::uuid::Uuid);

        impl $name {
            /// What its text form begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id for the moment `now`; ids sort by that moment.
            pub fn new(now: $crate::Timestamp, rng: &$crate::Rng) -> Self {
                Self(rng.uuid_v7(now))
            }

            /// The id whose bare UUID this is.
            pub const fn from_uuid(uuid: $crate::__private::uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, as it is stored.
            pub const fn uuid(self) -> $crate::__private::uuid::Uuid {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&$crate::AnyId { prefix: $prefix, uuid: self.0 }, f)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::AnyId::parse(text)
                    .filter(|id| id.prefix == $prefix)
                    .map(|id| Self(id.uuid))
                    .ok_or($crate::IdError { prefix: $prefix })
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as $crate::__private::serde::Deserialize>::deserialize(
                    deserializer,
                )?;
                text.parse().map_err($crate::__private::serde::de::Error::custom)
            }
        }

        impl $crate::__private::utoipa::ToSchema for $name {}

        impl $crate::__private::utoipa::PartialSchema for $name {
            fn schema() -> $crate::__private::utoipa::openapi::RefOr<
                $crate::__private::utoipa::openapi::schema::Schema,
            > {
                use $crate::__private::utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([concat!($prefix, "_01h2xcejqtf2nbrexx3vqjhp41")])
                    .into()
            }
        }
    };
}

typed_id!(/** A person who buys. */ CustomerId, "cus");
typed_id!(/** A person who works for the shop. */ StaffId, "stf");
typed_id!(/** A signed-in session. */ SessionId, "ses");
typed_id!(/** Someone who sells on the marketplace. */ SellerId, "sel");
typed_id!(/** A product. */ ProductId, "prd");
typed_id!(/** One buyable variant of a product. */ VariantId, "var");
typed_id!(/** A place where stock lies. */ LocationId, "loc");
typed_id!(/** A cart. */ CartId, "crt");
typed_id!(/** A checkout. */ CheckoutId, "chk");
typed_id!(/** An order. */ OrderId, "ord");
typed_id!(/** A payment. */ PaymentId, "pay");
typed_id!(/** A refund. */ RefundId, "ref");
typed_id!(/** An account of a ledger. */ AccountId, "led");
typed_id!(/** A transfer of a ledger. */ TransferId, "trf");
typed_id!(/** An event. */ EventId, "evt");
typed_id!(/** A poll. */ PollId, "pol");
typed_id!(/** An answer to a poll. */ AnswerId, "ans");
typed_id!(/** A webhook that was received. */ WebhookId, "whk");
typed_id!(/** An address in a customer's book. */ AddressId, "adr");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vectors_of_the_typeid_specification() {
        let vectors = [
            ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
            ("0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"),
            ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
            ("00000000000000000000000010", "00000000-0000-0000-0000-000000000020"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ];
        for (suffix, uuid) in vectors {
            let uuid: Uuid = uuid.parse().unwrap();
            assert_eq!(decode_suffix(suffix), Some(uuid), "{suffix}");
            assert_eq!(encode_suffix(uuid), *suffix.as_bytes(), "{suffix}");
        }
    }

    #[test]
    fn other_kinds_and_malformed_ids_are_refused() {
        let id = "ord_01h455vb4pex5vsknk084sn02q";
        assert_eq!(id.parse::<OrderId>().unwrap().to_string(), id);
        for bad in [
            "pay_01h455vb4pex5vsknk084sn02q",
            "ord_01H455VB4PEX5VSKNK084SN02Q",
            "ord_81h455vb4pex5vsknk084sn02q",
            "ord_01h455vb4pex5vsknk084sn02",
            "ord_01h455vb4pex5vsknk084sn02u",
            "01h455vb4pex5vsknk084sn02q",
            "ord_",
            "",
        ] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips_and_sorts_as_the_uuid_does(a in any::<u128>(), b in any::<u128>()) {
            let (a, b) = (OrderId::from_uuid(Uuid::from_u128(a)), OrderId::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(a.to_string().parse::<OrderId>().unwrap(), a);
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn any_text_is_an_answer_and_never_a_panic(text in ".{0,40}") {
            let _ = text.parse::<OrderId>().is_ok();
        }
    }
}
