use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::pointer;

/// How deep arrays and objects may lie in each other; no request of ours needs more than a handful.
pub(super) const MAX_DEPTH: usize = 32;

/// What no body may hold, whatever type it is read as.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    TooDeep { pointer: String },
    CardNumber { pointer: String },
}

/// Walks a JSON document once without building it.
///
/// # Errors
/// What it found, or the fault in the JSON.
pub(super) fn scan(json: &[u8]) -> Result<(), Result<Finding, serde_json::Error>> {
    let mut walk = Walk { pointer: String::new(), depth: 0, finding: None };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let outcome = walk.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (walk.finding, outcome) {
        (Some(finding), _) => Err(Ok(finding)),
        (None, outcome) => outcome.map_err(Err),
    }
}

struct Walk {
    pointer: String,
    depth: usize,
    finding: Option<Finding>,
}

impl Walk {
    fn text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if telemetry::redact::contains_card_number(text) {
            return Err(self.found(Finding::CardNumber { pointer: self.pointer.clone() }));
        }
        Ok(())
    }

    fn found<E: serde::de::Error>(&mut self, finding: Finding) -> E {
        self.finding = Some(finding);
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.found(Finding::TooDeep { pointer: self.pointer.clone() }));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    // A fraction or a sign does not make a card number something else.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.text(&format!("{:.0}", number.abs().trunc()))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.text(&number.unsigned_abs().to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.text(&number.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.deeper()?;
        let length = self.pointer.len();
        let mut index = 0_usize;
        loop {
            pointer::push(&mut self.pointer, &index.to_string());
            let more = items.next_element_seed(&mut *self)?;
            self.pointer.truncate(length);
            if more.is_none() {
                break;
            }
            index += 1;
        }
        self.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.deeper()?;
        let length = self.pointer.len();
        while let Some(key) = members.next_key::<String>()? {
            self.text::<A::Error>(&key)?;
            pointer::push(&mut self.pointer, &key);
            members.next_value_seed(&mut *self)?;
            self.pointer.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Finding {
        scan(json.as_bytes()).unwrap_err().unwrap()
    }

    #[test]
    fn a_card_number_is_found_wherever_it_hides() {
        let at = |pointer: &str| Finding::CardNumber { pointer: pointer.to_owned() };
        assert_eq!(found(r#"{"payment":{"card":"4242 4242 4242 4242"}}"#), at("/payment/card"));
        assert_eq!(found(r#"{"notes":["fine","4242424242424242"]}"#), at("/notes/1"));
        assert_eq!(found(r#"{"n":4242424242424242}"#), at("/n"));
        assert_eq!(found(r#"{"n":-4242424242424242}"#), at("/n"));
        assert_eq!(found(r#"{"n":4242424242424242.5}"#), at("/n"));
        assert_eq!(found(r#"{"n":-4.242424242424242e15}"#), at("/n"));
        assert_eq!(found(r#"{"n":"\u0034242424242424242"}"#), at("/n"));
        assert_eq!(found(r#"{"4242424242424242":1}"#), at(""));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(scan(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(matches!(found(&nested(MAX_DEPTH + 1)), Finding::TooDeep { .. }));
        assert!(matches!(found(&"[".repeat(100_000)), Finding::TooDeep { .. }));
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for bad in ["", "{", "{} {}", "nul", "\u{feff}{}"] {
            assert!(scan(bad.as_bytes()).unwrap_err().is_err(), "{bad}");
        }
        scan(br#"{"a":[1,-1,1.5,true,null,"x"]}"#).unwrap();
    }
}
