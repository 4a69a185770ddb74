use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One page of a list, and how to ask for the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub data: Vec<T>,
    /// Give it back as `?cursor=` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, which were read with one more than `limit` so that the end shows
    /// without a count. `key` tells the sort key of the last item that is kept.
    pub fn from_overfetched<K: Serialize>(mut rows: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        let next_cursor = if more { rows.last().map(|last| Cursor::encode(&key(last))) } else { None };
        Self { data: rows, next_cursor }
    }

    /// The same page with each item changed by `f`.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

/// How many items a page may have: 1 to 100, 20 when not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(usize);

impl Limit {
    /// The most that one page may have.
    pub const MAX: usize = 100;

    /// `limit` when it is 1 to 100, else `None`.
    pub fn new(limit: usize) -> Option<Self> {
        (1..=Self::MAX).contains(&limit).then_some(Self(limit))
    }

    /// The number itself.
    pub const fn get(self) -> usize {
        self.0
    }

    /// One more than the page shows, which tells whether there is a next one.
    pub fn overfetch(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX - 1) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

/// Keyset cursors: the sort key of the last item seen, opaque to the caller.
pub struct Cursor;

/// A cursor that this list did not give out.
#[derive(Debug, thiserror::Error)]
#[error("the cursor is not one that this list gave out")]
pub struct CursorError;

impl Cursor {
    /// The most characters that a cursor may have.
    pub const MAX_LEN: usize = 512;

    /// Wraps a sort key.
    pub fn encode<K: Serialize>(key: &K) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    /// Unwraps a sort key.
    ///
    /// # Errors
    /// When the text is too long, is not base64url, or is not a key of this list.
    pub fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, CursorError> {
        if cursor.len() > Self::MAX_LEN {
            return Err(CursorError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
        serde_json::from_slice(&bytes).map_err(|_| CursorError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_page_has_no_cursor() {
        let limit = Limit::new(2).unwrap();
        let page = Page::from_overfetched(vec![1, 2, 3], limit, |n| *n);
        assert_eq!(page.data, [1, 2]);
        assert_eq!(Cursor::decode::<i32>(&page.next_cursor.unwrap()).unwrap(), 2);
        assert_eq!(Page::from_overfetched(vec![1, 2], limit, |n| *n).next_cursor, None);
    }

    #[test]
    fn limits_are_limits() {
        assert!(Limit::new(0).is_none());
        assert!(Limit::new(101).is_none());
        assert_eq!(Limit::default().get(), 20);
    }

    proptest! {
        #[test]
        fn cursors_round_trip(at in any::<i64>(), name in ".{0,20}") {
            let cursor = Cursor::encode(&(at, &name));
            prop_assert_eq!(Cursor::decode::<(i64, String)>(&cursor).unwrap(), (at, name));
        }

        #[test]
        fn nonsense_is_an_error_and_never_a_panic(text in ".{0,600}") {
            let _ = Cursor::decode::<(i64, String)>(&text).is_ok();
        }
    }
}
