use tokio_postgres::types::{FromSql, Type};

use super::encode::EPOCH_OFFSET;
use crate::error::Error;
use crate::row::Row;
use crate::value::Cell;

/// A column as the server sent it.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Fills `row` with the cells of `found`.
pub(super) fn fill(row: &mut Row, found: &tokio_postgres::Row) -> Result<(), Error> {
    row.clear();
    for (index, column) in found.columns().iter().enumerate() {
        let mismatch = || Error::Type {
            what: format!("column {:?}", column.name()),
            wanted: "of a type that both engines share",
        };
        let Raw(raw) = found.try_get(index).map_err(|_| mismatch())?;
        row.push(match raw {
            None => Cell::Null,
            Some(raw) => cell(column.type_(), raw).ok_or_else(mismatch)?,
        });
    }
    Ok(())
}

fn cell<'a>(kind: &Type, raw: &'a [u8]) -> Option<Cell<'a>> {
    Some(match *kind {
        Type::INT8 => Cell::Int(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::INT4 => Cell::Int(i32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT2 => Cell::Int(i16::from_be_bytes(raw.try_into().ok()?).into()),
        Type::BOOL => Cell::Int((*raw.first()?).into()),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => {
            Cell::Text(std::str::from_utf8(raw).ok()?)
        }
        // The first byte is the version of jsonb's binary form.
        Type::JSONB => Cell::Text(std::str::from_utf8(raw.get(1..)?).ok()?),
        Type::BYTEA | Type::UUID => Cell::Bytes(raw),
        Type::TIMESTAMPTZ => Cell::Int(i64::from_be_bytes(raw.try_into().ok()?).checked_add(EPOCH_OFFSET)?),
        Type::NUMERIC => Cell::Int(numeric(raw)?),
        Type::VOID => Cell::Null,
        _ => return None,
    })
}

/// A sum of whole numbers comes as `numeric`; anything with a fraction is not of this world.
fn numeric(raw: &[u8]) -> Option<i64> {
    let word = |index: usize| Some(u16::from_be_bytes(raw.get(2 * index..2 * index + 2)?.try_into().ok()?));
    let (count, weight) = (word(0)?, word(1)? as i16);
    let negative = match word(2)? {
        0 => false,
        0x4000 => true,
        _ => return None,
    };
    let mut value = 0_i128;
    for place in 0..=weight.max(-1) {
        let digit = if place < count as i16 { word(4 + place as usize)? } else { 0 };
        value = value.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    for place in (i32::from(weight) + 1).max(0)..i32::from(count) {
        if word(4 + place as usize)? != 0 {
            return None;
        }
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_postgres::types::ToSql as _;
    use tokio_postgres::types::private::BytesMut;

    use super::*;
    use crate::value::Value;

    proptest! {
        #[test]
        fn whole_numerics_round_trip(value in any::<i64>()) {
            let mut raw = BytesMut::new();
            Value::Int(value).to_sql(&Type::NUMERIC, &mut raw).unwrap();
            prop_assert_eq!(numeric(&raw), Some(value));
        }

        #[test]
        fn any_bytes_are_an_answer_and_never_a_panic(raw in proptest::collection::vec(any::<u8>(), 0..30)) {
            for kind in [Type::NUMERIC, Type::INT8, Type::INT2, Type::BOOL, Type::JSONB, Type::TIMESTAMPTZ, Type::TEXT] {
                let _ = cell(&kind, &raw);
            }
        }
    }

    #[test]
    fn fractions_are_refused() {
        // 1.5: two digits, the first of weight 0, a scale of 1.
        let one_and_a_half = [0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88];
        assert_eq!(numeric(&one_and_a_half), None);
        // 1.0, as some sums are written.
        let one = [0, 1, 0, 0, 0, 0, 0, 1, 0, 1];
        assert_eq!(numeric(&one), Some(1));
    }
}
