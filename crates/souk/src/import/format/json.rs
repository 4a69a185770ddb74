use std::io::BufRead;
use std::sync::mpsc::sync_channel;

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Records;
use crate::import::{Record, Refusal};

/// How many records the reading thread may be ahead.
const AHEAD: usize = 256;

/// One record may have at most so many bytes.
const MAX_RECORD: usize = 1 << 20;

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
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        // Sending fails when nobody reads on, and then there is nothing left to do.
        let emit = |raw: Result<Box<RawValue>, String>| sender.send(raw).is_ok();
        read_members(reader, &emit);
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
            Err(detail) => {
                let content = Err(Refusal::new("import.unreadable", None, detail));
                Record { place, name: String::new(), content }
            }
        }
    }))
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Result<T, Refusal> {
    if raw.get().len() > MAX_RECORD {
        return Err(Refusal::new("import.too_large", None, "the record has more than 1 MiB"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = (path != ".").then_some(path);
        Refusal::new("import.invalid", field.as_deref(), error.into_inner().to_string())
    })
}

fn read_members(mut reader: impl BufRead, emit: &dyn Fn(Result<Box<RawValue>, String>) -> bool) {
    let array = match first_byte(&mut reader) {
        Ok(byte) => byte == Some(b'['),
        Err(error) => {
            emit(Err(error.to_string()));
            return;
        }
    };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    if array {
        let outcome = serde::Deserializer::deserialize_seq(&mut deserializer, Members(emit));
        if let Err(error) = outcome.and_then(|()| deserializer.end()) {
            emit(Err(error.to_string()));
        }
        return;
    }
    loop {
        match Box::<RawValue>::deserialize(&mut deserializer) {
            Ok(raw) => {
                if !emit(Ok(raw)) {
                    return;
                }
            }
            Err(error) if error.is_eof() => return,
            Err(error) => {
                emit(Err(error.to_string()));
                return;
            }
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

struct Members<'a>(&'a dyn Fn(Result<Box<RawValue>, String>) -> bool);

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
}
