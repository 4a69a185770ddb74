//! Reading one's own writes, although reads may go to a replica.
//!
//! Within [`with_caller`], what the caller wrote is remembered as a position of the primary's log, for as long
//! as a replica may lag. The same caller then reads from a replica only once that has come as far, and from
//! the primary until then. A [`Position`] carries the same knowledge to another process, say through a header.
//! On SQLite there are no replicas, and positions stay empty.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;

/// The most callers that a generation remembers; see [`Recent`].
const GENERATION: usize = 8_192;

/// The most characters that the text form may have.
const MAX_LEN: usize = 1_024;

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

struct Scope {
    caller: String,
    position: Mutex<Position>,
}

/// How far each database's log had come when the caller last wrote. The text form is opaque to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(BTreeMap<String, u64>);

/// A text that is not a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct PositionError;

impl Position {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn advance(&mut self, database: &str, log: u64) {
        match self.0.get_mut(database) {
            Some(known) => *known = log.max(*known),
            None => {
                self.0.insert(database.to_owned(), log);
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (database, log)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{database}:{log:x}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        if text.len() > MAX_LEN {
            return Err(PositionError);
        }
        let mut position = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (database, log) = part.split_once(':').ok_or(PositionError)?;
            position.advance(database, u64::from_str_radix(log, 16).map_err(|_| PositionError)?);
        }
        Ok(position)
    }
}

/// Runs `work` on behalf of `caller`, any text that tells callers apart.
pub async fn with_caller<F: Future>(caller: impl Into<String>, work: F) -> F::Output {
    with_caller_at(caller, Position::default(), work).await
}

/// As [`with_caller`], for a caller who is known to have written up to `position`.
pub async fn with_caller_at<F: Future>(caller: impl Into<String>, position: Position, work: F) -> F::Output {
    let scope = Scope { caller: caller.into(), position: Mutex::new(position) };
    SCOPE.scope(Arc::new(scope), work).await
}

/// How far the caller of the present scope has written, what it came with included; empty outside any scope.
pub fn position() -> Position {
    SCOPE.try_with(|scope| scope.position.lock().clone()).unwrap_or_default()
}

/// Takes note, for the caller of the present scope, of what was written elsewhere on its behalf, as another
/// service said in its answer. Nothing happens outside any scope.
pub fn learn(position: &Position) {
    let _ = SCOPE.try_with(|scope| {
        let mut known = scope.position.lock();
        for (database, log) in &position.0 {
            known.advance(database, *log);
        }
    });
}

/// Whether a caller's writes are to be remembered.
pub(crate) fn in_scope() -> bool {
    SCOPE.try_with(|_| ()).is_ok()
}

/// Who wrote lately and up to where, for one database. Two generations bound the memory: when the newer is full
/// it becomes the older, and what the older knew is summed up in one position that every caller waits for. So
/// forgetting costs some reads on the primary, never a stale one.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    newer: HashMap<String, u64>,
    older: HashMap<String, u64>,
    floor: u64,
}

impl Recent {
    /// The position that a replica must have reached to serve the present caller; zero outside any scope.
    pub(crate) fn required(&self, database: &str) -> u64 {
        SCOPE
            .try_with(|scope| {
                let carried = scope.position.lock().0.get(database).copied().unwrap_or(0);
                carried.max(self.generations.lock().of(&scope.caller))
            })
            .unwrap_or(0)
    }

    /// Remembers that the present caller's write ended at `log`.
    pub(crate) fn wrote(&self, database: &str, log: u64) {
        let _ = SCOPE.try_with(|scope| {
            scope.position.lock().advance(database, log);
            self.generations.lock().put(&scope.caller, log);
        });
    }
}

impl Generations {
    fn of(&self, caller: &str) -> u64 {
        let known = self.newer.get(caller).or_else(|| self.older.get(caller)).copied();
        known.unwrap_or(0).max(self.floor)
    }

    fn put(&mut self, caller: &str, log: u64) {
        if self.newer.len() >= GENERATION {
            self.floor = self.older.values().copied().max().unwrap_or(0).max(self.floor);
            self.older = std::mem::take(&mut self.newer);
        }
        let log = log.max(self.of(caller));
        self.newer.insert(caller.to_owned(), log);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn a_caller_needs_what_it_wrote_and_others_need_nothing() {
        let recent = Recent::default();
        recent.wrote("orders", 5);
        assert!(position().is_empty(), "outside a scope nothing is remembered");
        let carried = with_caller("anna", async {
            recent.wrote("orders", 7);
            recent.wrote("orders", 6);
            assert_eq!(recent.required("orders"), 7);
            position()
        })
        .await;
        assert_eq!(carried.to_string(), "orders:7");
        assert_eq!(with_caller("anna", async { recent.required("orders") }).await, 7);
        assert_eq!(with_caller("bert", async { recent.required("orders") }).await, 0);
        assert_eq!(with_caller_at("bert", carried, async { recent.required("orders") }).await, 7);
        assert_eq!(recent.required("orders"), 0);
    }

    #[test]
    fn forgetting_errs_on_the_safe_side() {
        let mut generations = Generations::default();
        for caller in 0..3 * GENERATION as u64 {
            generations.put(&caller.to_string(), caller + 1);
        }
        assert!(generations.newer.len() + generations.older.len() <= 2 * GENERATION);
        assert!((0..3 * GENERATION as u64).all(|caller| generations.of(&caller.to_string()) > caller));
    }

    proptest! {
        #[test]
        fn positions_round_trip(logs in proptest::collection::btree_map("[a-z]{1,12}", any::<u64>(), 0..10)) {
            let position = Position(logs);
            prop_assert_eq!(position.to_string().parse::<Position>(), Ok(position));
        }

        #[test]
        fn any_text_is_an_answer_and_never_a_panic(text in ".{0,60}") {
            let _ = text.parse::<Position>().is_ok();
        }
    }
}
