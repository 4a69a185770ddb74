//! What each column of a service holds and what erasing a person does to it. A service declares all
//! its columns, and a test compares the list with the live schema, so that none is forgotten.

use std::collections::BTreeSet;

/// Who may see what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// It tells nothing about a person.
    Public,
    /// It is about a person.
    Personal,
    /// It proves something, or opens something: never shown to anybody.
    Secret,
}

/// What erasing a person does to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Erasure {
    /// It stays: it tells nothing about them once the rest is gone, or the law wants it kept.
    Kept,
    /// It is sealed under the person's key and cannot be read any more once that is destroyed.
    Sealed,
    /// It is set to NULL or to an empty value.
    Emptied,
    /// Its row is deleted.
    Deleted,
}

/// One column of a service's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub name: &'static str,
    /// Who may see it.
    pub privacy: Privacy,
    /// What erasure does to it.
    pub erasure: Erasure,
}

/// Declares columns, a table at a time:
///
/// ```
/// const COLUMNS: &[database::columns::Column] = database::columns![
///     orders { id: Public Kept, customer_id: Personal Kept, address: Personal Sealed },
///     carts { id: Public Deleted, customer_id: Personal Deleted },
/// ];
/// assert_eq!(COLUMNS.len(), 5);
/// ```
#[macro_export]
macro_rules! columns {
    ($($table:ident { $($name:ident: $privacy:ident $erasure:ident),* $(,)? }),* $(,)?) => {
        &[$($($crate::columns::Column {
            table: stringify!($table),
            name: stringify!($name),
            privacy: $crate::columns::Privacy::$privacy,
            erasure: $crate::columns::Erasure::$erasure,
        },)*)*]
    };
}

/// How `declared` differs from `live`, the answer of [`crate::Database::schema_columns`]: a line for
/// each column that is in only one of them. Empty when they agree.
pub fn differences(declared: &[Column], live: &[(String, String)]) -> Vec<String> {
    let declared: BTreeSet<_> = declared.iter().map(|column| (column.table, column.name)).collect();
    let live: BTreeSet<_> = live.iter().map(|(table, name)| (table.as_str(), name.as_str())).collect();
    let undeclared =
        live.difference(&declared).map(|(table, name)| format!("{table}.{name} is not declared"));
    let absent = declared.difference(&live).map(|(table, name)| format!("{table}.{name} does not exist"));
    undeclared.chain(absent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_on_one_side_is_named() {
        let declared = crate::columns![orders { id: Public Kept, note: Personal Sealed }];
        let live =
            |names: &[&str]| names.iter().map(|name| ("orders".into(), (*name).into())).collect::<Vec<_>>();
        assert!(differences(declared, &live(&["id", "note"])).is_empty());
        assert_eq!(
            differences(declared, &live(&["id", "phone"])),
            ["orders.phone is not declared", "orders.note does not exist"]
        );
    }
}
