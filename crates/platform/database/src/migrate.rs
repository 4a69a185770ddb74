use sha2::{Digest, Sha256};

use crate::error::Error;

/// One step of a schema, forward only, written for each engine.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place: 1, 2, 3, … without a gap.
    pub number: u32,
    /// What it does, as in its file name: `0002_refunds`.
    pub name: &'static str,
    /// The statements for SQLite.
    pub sqlite: &'static str,
    /// The statements for PostgreSQL.
    pub postgres: &'static str,
}

/// The migrations of a crate, from its folder `migrations`: `database::migrations!["0001_init", "0002_refunds"]`
/// reads `0001_init.sqlite.sql`, `0001_init.postgres.sql` and so on.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        [$($crate::Migration {
            number: $crate::__private::number_of($name),
            name: $name,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".postgres.sql")),
        }),*]
    };
}

/// The tables that every service's database has.
pub(crate) const PLATFORM: &[Migration] = &migrations!["0001_platform", "0002_idempotency_rows"];

/// The number that a file name begins with.
#[doc(hidden)]
pub const fn number_of(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut number = 0;
    let mut index = 0;
    while index < bytes.len() && bytes[index].is_ascii_digit() {
        number = number * 10 + (bytes[index] - b'0') as u32;
        index += 1;
    }
    number
}

/// Whether the numbers are 1, 2, 3, …
pub(crate) fn check(set: &str, migrations: &[Migration]) -> Result<(), Error> {
    for (expected, migration) in (1..).zip(migrations) {
        if migration.number != expected {
            return Err(Error::Migration {
                set: set.to_owned(),
                number: migration.number,
                problem: "leaves a gap",
            });
        }
    }
    Ok(())
}

/// What has run of a set, as the database remembers it.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) number: u32,
    pub(crate) checksum: Vec<u8>,
}

pub(crate) fn checksum(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Those of `migrations` that have not run yet. A database may be ahead of the program: during a rolling
/// upgrade old copies go on for a while.
pub(crate) fn pending<'m>(
    set: &str,
    migrations: &'m [Migration],
    applied: &[Applied],
    text: impl Fn(&Migration) -> &'static str,
) -> Result<Vec<&'m Migration>, Error> {
    let mut pending = Vec::new();
    for migration in migrations {
        match applied.iter().find(|applied| applied.number == migration.number) {
            None => pending.push(migration),
            Some(applied) if applied.checksum == checksum(text(migration)) => {}
            Some(_) => {
                let problem = "has run already with other statements";
                return Err(Error::Migration { set: set.to_owned(), number: migration.number, problem });
            }
        }
    }
    if applied.len() > migrations.len() {
        tracing::warn!(set, "the database has migrations that this program does not know yet");
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(number: u32) -> Migration {
        Migration { number, name: "x", sqlite: "SELECT 1", postgres: "SELECT 1" }
    }

    #[test]
    fn numbers_come_from_names_and_leave_no_gap() {
        assert_eq!(number_of("0012_refunds"), 12);
        assert!(check("s", &[migration(1), migration(2)]).is_ok());
        assert!(check("s", &[migration(1), migration(3)]).is_err());
        assert!(check("s", &[migration(2)]).is_err());
    }

    #[test]
    fn a_changed_migration_is_refused_and_a_newer_database_is_not() {
        let run = |number, text: &str| Applied { number, checksum: checksum(text).to_vec() };
        let pend = |applied: &[Applied]| {
            pending("s", &[migration(1), migration(2)], applied, |m| m.sqlite)
                .map(|pending| pending.iter().map(|m| m.number).collect::<Vec<_>>())
        };
        assert_eq!(pend(&[]).unwrap(), [1, 2]);
        assert_eq!(pend(&[run(1, "SELECT 1")]).unwrap(), [2]);
        assert!(pend(&[run(1, "SELECT 2")]).is_err());
        let ahead = [run(1, "SELECT 1"), run(2, "SELECT 1"), run(3, "SELECT 1")];
        assert_eq!(pend(&ahead).unwrap(), Vec::<u32>::new());
    }
}
