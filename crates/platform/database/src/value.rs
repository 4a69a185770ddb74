use kernel::{Currency, Date, Timestamp};
use uuid::Uuid;

/// A parameter of a statement. Each engine stores it in its own type: see the table in the README.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL's NULL, of whatever type is wanted.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of any width; one that does not fit the column is an error.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID; typed ids are stored as their bare UUID.
    Uuid(Uuid),
    /// A moment, to the microsecond.
    Time(Timestamp),
    /// A JSON document.
    Json(serde_json::Value),
}

/// Makes the parameters of a statement: `&params![order_id, "paid", 3]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

macro_rules! from {
    ($($source:ty => |$name:pat_param| $value:expr;)*) => {
        $(impl From<$source> for Value {
            fn from($name: $source) -> Self {
                $value
            }
        })*
    };
}

from! {
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u8 => |value| Self::Int(value.into());
    String => |value| Self::Text(value);
    &String => |value| Self::Text(value.clone());
    &str => |value| Self::Text(value.to_owned());
    Vec<u8> => |value| Self::Bytes(value);
    &Vec<u8> => |value| Self::Bytes(value.clone());
    &[u8] => |value| Self::Bytes(value.to_vec());
    Uuid => |value| Self::Uuid(value);
    Timestamp => |value| Self::Time(value);
    Date => |value| Self::Text(value.to_string());
    Currency => |value| Self::Text(value.code().to_owned());
    serde_json::Value => |value| Self::Json(value);
    &serde_json::Value => |value| Self::Json(value.clone());
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a column holds, in the storage classes that both engines share: PostgreSQL's `uuid` is 16 bytes,
/// `timestamptz` microseconds since 1970, `boolean` 0 or 1, `jsonb` its text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// SQL's NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A type that can be read from a column.
pub trait FromValue: Sized {
    /// What the type is called in an error.
    const NAME: &'static str;

    /// Reads the column; `None` when it does not hold such a value.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! read {
    ($($target:ty, $name:literal => |$cell:pat_param| $value:expr;)*) => {
        $(impl FromValue for $target {
            const NAME: &'static str = $name;

            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    $cell => $value,
                    _ => None,
                }
            }
        })*
    };
}

read! {
    bool, "a boolean" => |Cell::Int(value @ (0 | 1))| Some(value == 1);
    i64, "a 64-bit integer" => |Cell::Int(value)| Some(value);
    i32, "a 32-bit integer" => |Cell::Int(value)| value.try_into().ok();
    i16, "a 16-bit integer" => |Cell::Int(value)| value.try_into().ok();
    u64, "an unsigned 64-bit integer" => |Cell::Int(value)| value.try_into().ok();
    u32, "an unsigned 32-bit integer" => |Cell::Int(value)| value.try_into().ok();
    u16, "an unsigned 16-bit integer" => |Cell::Int(value)| value.try_into().ok();
    u8, "an unsigned 8-bit integer" => |Cell::Int(value)| value.try_into().ok();
    usize, "a size" => |Cell::Int(value)| value.try_into().ok();
    String, "text" => |Cell::Text(value)| Some(value.to_owned());
    Vec<u8>, "bytes" => |Cell::Bytes(value)| Some(value.to_vec());
    Uuid, "a UUID" => |Cell::Bytes(value)| Uuid::from_slice(value).ok();
    Timestamp, "a time" => |Cell::Int(value)| Some(Timestamp::from_micros(value));
    Date, "a date" => |Cell::Text(value)| value.parse().ok();
    Currency, "a currency" => |Cell::Text(value)| value.parse().ok();
    serde_json::Value, "JSON" => |Cell::Text(value)| serde_json::from_str(value).ok();
}

impl<const N: usize> FromValue for [u8; N] {
    const NAME: &'static str = "bytes of the right length";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bytes(value) => value.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// Lets typed ids be parameters and columns: `database::id_values!(CouponId, CampaignId);`
/// The ids of `kernel` already are.
#[macro_export]
macro_rules! id_values {
    ($($id:ty),* $(,)?) => {
        $(
            impl ::std::convert::From<$id> for $crate::Value {
                fn from(id: $id) -> Self {
                    Self::Uuid(id.uuid())
                }
            }

            impl $crate::FromValue for $id {
                const NAME: &'static str = "an id";

                fn from_cell(cell: $crate::Cell<'_>) -> ::std::option::Option<Self> {
                    <$crate::__private::Uuid as $crate::FromValue>::from_cell(cell).map(Self::from_uuid)
                }
            }
        )*
    };
}

/// Lets enums that are written as text be parameters and columns, through their `as_str` and `FromStr`:
/// `database::text_values!(OrderStatus);`
#[macro_export]
macro_rules! text_values {
    ($($kind:ty),* $(,)?) => {
        $(
            impl ::std::convert::From<$kind> for $crate::Value {
                fn from(value: $kind) -> Self {
                    Self::Text(::std::string::String::from(value.as_str()))
                }
            }

            impl $crate::FromValue for $kind {
                const NAME: &'static str = stringify!($kind);

                fn from_cell(cell: $crate::Cell<'_>) -> ::std::option::Option<Self> {
                    match cell {
                        $crate::Cell::Text(text) => text.parse().ok(),
                        _ => ::std::option::Option::None,
                    }
                }
            }
        )*
    };
}

id_values! {
    kernel::AccountId, kernel::AddressId, kernel::AnswerId, kernel::CartId, kernel::CheckoutId,
    kernel::CustomerId, kernel::EventId, kernel::LocationId, kernel::OrderId, kernel::PaymentId,
    kernel::PollId, kernel::ProductId, kernel::RefundId, kernel::SellerId, kernel::SessionId,
    kernel::StaffId, kernel::TransferId, kernel::VariantId, kernel::WebhookId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_do_not_fit_and_other_types_are_refused() {
        assert_eq!(i32::from_cell(Cell::Int(i64::from(i32::MAX) + 1)), None);
        assert_eq!(u32::from_cell(Cell::Int(-1)), None);
        assert_eq!(bool::from_cell(Cell::Int(2)), None);
        assert_eq!(String::from_cell(Cell::Null), None);
        assert_eq!(Option::<String>::from_cell(Cell::Null), Some(None));
        assert_eq!(Uuid::from_cell(Cell::Bytes(&[0; 15])), None);
    }

    #[test]
    fn parameters_take_what_services_have_at_hand() {
        let id = kernel::OrderId::from_uuid(Uuid::from_u128(7));
        let currency: Currency = "EUR".parse().unwrap();
        assert_eq!(
            params![id, "x", 3_i64, None::<String>, Some(true), currency],
            [
                Value::Uuid(Uuid::from_u128(7)),
                Value::Text("x".into()),
                Value::Int(3),
                Value::Null,
                Value::Bool(true),
                Value::Text("EUR".into())
            ]
        );
    }
}
