//! SQL and nothing else.

mod bodies;
mod columns;
pub(crate) mod facets;
pub(crate) mod listing;
pub(crate) mod products;
pub(crate) mod reservations;
pub(crate) mod sellers;
pub(crate) mod variants;

pub(crate) use bodies::Bodies;
pub use columns::COLUMNS;
use database::{Error, search};

/// The tables of this service.
pub(crate) const MIGRATIONS: &[database::Migration] = &database::migrations!["0001_catalog"];

/// Finds products by their words.
pub(crate) const INDEX: search::Index = search::Index::new("products");

database::text_values!(crate::model::Status, crate::model::reservation::State);

/// The ids with the last repeated until their number is a power of two. A list of parameters is part
/// of a statement's text, so statements over lists of any length are few and stay prepared.
pub(crate) fn padded<T: Copy>(ids: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.into_iter().collect();
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    ids
}

/// A JSON column as what it holds.
fn json<T: serde::de::DeserializeOwned>(value: serde_json::Value, what: &str) -> Result<T, Error> {
    serde_json::from_value(value)
        .map_err(|_| Error::Type { what: format!("column {what:?}"), wanted: "its JSON" })
}

/// What a JSON column shall hold.
fn to_json(value: &impl serde::Serialize) -> serde_json::Value {
    // Plain structs of texts and numbers always have a JSON form.
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_to_powers_of_two() {
        assert!(padded(0..0).is_empty());
        assert_eq!(padded([7]), [7]);
        assert_eq!(padded([1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(0..100).len(), 128);
    }
}
