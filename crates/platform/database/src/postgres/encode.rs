use postgres_types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::types as postgres_types;
use tokio_postgres::types::private::BytesMut;

use crate::value::Value;

/// Microseconds between 1970, where Souk's times start, and 2000, where PostgreSQL's do.
pub(super) const EPOCH_OFFSET: i64 = 946_684_800_000_000;

/// A parameter that cannot be written as the type that the statement wants.
#[derive(Debug, thiserror::Error)]
#[error("a {have} does not fit a parameter of type {wanted}")]
pub(super) struct Mismatch {
    have: &'static str,
    wanted: String,
}

type Failure = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, wanted) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Bool(value), &Type::BOOL) => out.extend_from_slice(&[u8::from(*value)]),
            (Self::Int(value), wanted) => write_int(*value, wanted, out)?,
            (
                Self::Text(value),
                &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN),
            ) => {
                out.extend_from_slice(value.as_bytes());
            }
            (Self::Bytes(value), &Type::BYTEA) => out.extend_from_slice(value),
            (Self::Uuid(value), &Type::UUID) => out.extend_from_slice(value.as_bytes()),
            (Self::Time(value), &Type::TIMESTAMPTZ) => {
                let micros =
                    value.as_micros().checked_sub(EPOCH_OFFSET).ok_or_else(|| mismatch(self, wanted))?;
                out.extend_from_slice(&micros.to_be_bytes());
            }
            (Self::Json(value), &(Type::JSONB | Type::JSON)) => {
                if *wanted == Type::JSONB {
                    // The version of jsonb's binary form.
                    out.extend_from_slice(&[1]);
                }
                out.extend_from_slice(value.to_string().as_bytes());
            }
            _ => return Err(mismatch(self, wanted)),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        // Whether it fits depends on the value too, so `to_sql` tells.
        true
    }

    to_sql_checked!();
}

fn write_int(value: i64, wanted: &Type, out: &mut BytesMut) -> Result<(), Failure> {
    let too_large = |_| mismatch(&Value::Int(value), wanted);
    match *wanted {
        Type::INT8 => out.extend_from_slice(&value.to_be_bytes()),
        Type::INT4 => out.extend_from_slice(&i32::try_from(value).map_err(too_large)?.to_be_bytes()),
        Type::INT2 => out.extend_from_slice(&i16::try_from(value).map_err(too_large)?.to_be_bytes()),
        Type::NUMERIC => write_numeric(value, out),
        _ => return Err(mismatch(&Value::Int(value), wanted)),
    }
    Ok(())
}

/// PostgreSQL infers `numeric` where a parameter meets a sum. Its binary form: the number of base-10,000 digits,
/// the weight of the first, the sign, the scale, the digits.
fn write_numeric(value: i64, out: &mut BytesMut) {
    let mut digits = [0_u16; 5];
    let mut count = 0;
    let mut rest = value.unsigned_abs();
    while rest > 0 {
        digits[count] = (rest % 10_000) as u16;
        rest /= 10_000;
        count += 1;
    }
    let weight = if count == 0 { 0 } else { count as i16 - 1 };
    let sign: u16 = if value < 0 { 0x4000 } else { 0 };
    out.extend_from_slice(&(count as i16).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&0_i16.to_be_bytes());
    for digit in digits[..count].iter().rev() {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}

fn mismatch(value: &Value, wanted: &Type) -> Failure {
    let have = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "whole number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "byte string",
        Value::Uuid(_) => "UUID",
        Value::Time(_) => "time",
        Value::Json(_) => "JSON document",
    };
    Box::new(Mismatch { have, wanted: wanted.name().to_owned() })
}

/// The type to announce where nothing is prepared, and the server does not say what it wants.
pub(super) fn natural_type(value: &Value) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Bool(_) => Type::BOOL,
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
        Value::Uuid(_) => Type::UUID,
        Value::Time(_) => Type::TIMESTAMPTZ,
        Value::Json(_) => Type::JSONB,
    }
}
