use std::io::{BufRead, Read as _};
use std::sync::mpsc::sync_channel;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as _, Deserializer};
use serde_json::value::RawValue;

use super::Records;
use crate::import::{Record, Refusal};

/// How many records the reading thread may be ahead.
const AHEAD: usize = 256;

/// One record may have at most so many bytes.
const MAX_RECORD: usize = 1 << 20;

/// How the records stand in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A JSON array, or JSON values one after the other. Text that is not JSON ends the file.
    Values,
    /// A JSON array, or one JSON value a line. A line that is not JSON is a refused record, and those
    /// after it are read.
    Lines,
    /// The members of the array that an object holds under this name; or of each object of an array.
    Within(&'static str),
}

/// What was read of one record, and what it comes to be refused with.
type Raw = Result<Box<RawValue>, Refusal>;

/// The members of a JSON array, or JSON objects one after the other, as records. A member that is
/// not a `T` is a refused record; text that is not JSON ends the file with one.
pub(super) fn records<T, U>(
    reader: impl BufRead + Send + 'static,
    name: fn(&serde_json::Value) -> String,
    convert: impl Fn(T) -> Result<U, Refusal> + Send + 'static,
) -> Records<U>
where
    T: DeserializeOwned,
    U: Send + 'static,
{
    shaped(Shape::Values, reader, name, convert)
}

/// The same of a file of this shape.
pub(super) fn shaped<T, U>(
    shape: Shape,
    reader: impl BufRead + Send + 'static,
    name: fn(&serde_json::Value) -> String,
    convert: impl Fn(T) -> Result<U, Refusal> + Send + 'static,
) -> Records<U>
where
    T: DeserializeOwned,
    U: Send + 'static,
{
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        // Sending fails when nobody reads on, and then there is nothing left to do.
        let emit = |raw: Raw| sender.send(raw).is_ok();
        read_members(shape, reader, &emit);
    });
    let mut number = 0;
    Box::new(receiver.into_iter().map(move |raw| {
        number += 1;
        let place = format!("record {number}");
        match raw {
            Ok(raw) => {
                let value = serde_json::from_str(raw.get()).unwrap_or(serde_json::Value::Null);
                let content = read::<T>(&raw).and_then(&convert);
                Record { place, name: name(&value), content }
            }
            Err(refusal) => Record { place, name: String::new(), content: Err(refusal) },
        }
    }))
}

fn unreadable(error: impl std::fmt::Display) -> Refusal {
    Refusal::new("import.unreadable", None, error.to_string())
}

fn too_large() -> Refusal {
    Refusal::new("import.too_large", None, "the record has more than 1 MiB")
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Result<T, Refusal> {
    if raw.get().len() > MAX_RECORD {
        return Err(too_large());
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = (path != ".").then_some(path);
        Refusal::new("import.invalid", field.as_deref(), error.into_inner().to_string())
    })
}

fn read_members(shape: Shape, mut reader: impl BufRead, emit: &dyn Fn(Raw) -> bool) {
    let array = match first_byte(&mut reader) {
        Ok(byte) => byte == Some(b'['),
        Err(error) => {
            emit(Err(unreadable(error)));
            return;
        }
    };
    match shape {
        Shape::Within(member) => read_whole(reader, emit, Holders { member, emit }),
        Shape::Values | Shape::Lines if array => read_whole(reader, emit, Members(emit)),
        Shape::Lines => read_lines(reader, emit),
        Shape::Values => read_values(reader, emit),
    }
}

/// A file that is one JSON value.
fn read_whole<'de>(
    reader: impl BufRead,
    emit: &dyn Fn(Raw) -> bool,
    seed: impl DeserializeSeed<'de, Value = ()>,
) {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let outcome = seed.deserialize(&mut deserializer);
    if let Err(error) = outcome.and_then(|()| deserializer.end()) {
        emit(Err(unreadable(error)));
    }
}

fn read_values(reader: impl BufRead, emit: &dyn Fn(Raw) -> bool) {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    loop {
        match Box::<RawValue>::deserialize(&mut deserializer) {
            Ok(raw) => {
                if !emit(Ok(raw)) {
                    return;
                }
            }
            Err(error) if error.is_eof() => return,
            Err(error) => {
                emit(Err(unreadable(error)));
                return;
            }
        }
    }
}

fn read_lines(mut reader: impl BufRead, emit: &dyn Fn(Raw) -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let raw = match reader.by_ref().take(MAX_RECORD as u64 + 1).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) if line.len() > MAX_RECORD => match reader.skip_until(b'\n') {
                Ok(_) => Err(too_large()),
                Err(error) => Err(unreadable(error)),
            },
            Ok(_) => serde_json::from_slice(&line).map_err(unreadable),
            Err(error) => {
                emit(Err(unreadable(error)));
                return;
            }
        };
        if !emit(raw) {
            return;
        }
    }
}

/// Looks at the first byte that is not white space without taking it.
fn first_byte(reader: &mut impl BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(byte) = buffer.get(blank) {
            return Ok(Some(*byte));
        }
        reader.consume(blank);
    }
}

#[derive(Clone, Copy)]
struct Members<'a>(&'a dyn Fn(Raw) -> bool);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(raw) = members.next_element::<Box<RawValue>>()? {
            if !(self.0)(Ok(raw)) {
                break;
            }
        }
        Ok(())
    }
}

/// An object that holds the records, or an array of such objects.
#[derive(Clone, Copy)]
struct Holders<'a> {
    member: &'static str,
    emit: &'a dyn Fn(Raw) -> bool,
}

impl<'de> DeserializeSeed<'de> for Holders<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Holders<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "an object with the member {:?}", self.member)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<(), A::Error> {
        while objects.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            if name == self.member {
                object.next_value_seed(Members(self.emit))?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &'static str) -> Vec<Result<u32, String>> {
        records::<u32, u32>(text.as_bytes(), |_| String::new(), Ok)
            .map(|record| record.content.map_err(|refusal| refusal.code))
            .collect()
    }

    #[test]
    fn arrays_and_lines_are_read_alike() {
        assert_eq!(all(" [1, 2,\n3]"), [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(all("1\n2\n3\n"), [Ok(1), Ok(2), Ok(3)]);
        assert!(all("").is_empty());
        assert!(all("[]").is_empty());
    }

    #[test]
    fn a_bad_record_is_refused_and_the_rest_is_read() {
        assert_eq!(all("[1, \"two\", 3]"), [Ok(1), Err("import.invalid".into()), Ok(3)]);
    }

    #[test]
    fn broken_json_ends_the_file_with_a_refusal() {
        assert_eq!(all("[1, 2"), [Ok(1), Ok(2), Err("import.unreadable".into())]);
    }

    fn shaped_as(shape: Shape, text: &'static str) -> Vec<Result<u32, String>> {
        shaped::<u32, u32>(shape, text.as_bytes(), |_| String::new(), Ok)
            .map(|record| record.content.map_err(|refusal| refusal.code))
            .collect()
    }

    #[test]
    fn a_broken_line_is_refused_and_the_lines_after_it_are_read() {
        let lines = |text| shaped_as(Shape::Lines, text);
        let unreadable = || Err("import.unreadable".into());
        assert_eq!(lines("1\n\n{\"a\": \n3\nx"), [Ok(1), unreadable(), Ok(3), unreadable()]);
        assert_eq!(lines("1\r\n2"), [Ok(1), Ok(2)]);
        assert_eq!(lines("[1,\n2]"), [Ok(1), Ok(2)]);
        assert!(lines("").is_empty());
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let text = format!("1\n{}\n3\n", "x".repeat(3 * MAX_RECORD));
        let read: Vec<_> =
            shaped::<u32, u32>(Shape::Lines, std::io::Cursor::new(text), |_| String::new(), Ok)
                .map(|record| record.content.map_err(|refusal| refusal.code))
                .collect();
        assert_eq!(read, [Ok(1), Err("import.too_large".into()), Ok(3)]);
    }

    #[test]
    fn records_are_found_within_an_object_and_nothing_else_is_kept() {
        let within = |text| shaped_as(Shape::Within("users"), text);
        assert_eq!(
            within(r#"{"realm": {"users": [9]}, "users": [1, "x", 2], "id": 3}"#),
            [Ok(1), Err("import.invalid".into()), Ok(2)]
        );
        assert_eq!(within(r#"[{"users": [1]}, {"id": 2}, {"users": [3]}]"#), [Ok(1), Ok(3)]);
        assert!(within(r#"{"id": 2}"#).is_empty());
        assert_eq!(within("[1]"), [Err("import.unreadable".into())]);
        assert_eq!(within(r#"{"users": [1, "#), [Ok(1), Err("import.unreadable".into())]);
    }
}
