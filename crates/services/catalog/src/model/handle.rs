//! Handles: names of products and sellers in addresses. They have no underscore, so no handle can
//! be taken for an id.

use database::search;

/// The most characters of a handle.
pub(crate) const MAX_LEN: usize = 120;

/// The most characters of a title that lists are ordered by; it travels in cursors.
const MAX_TITLE_KEY: usize = 48;

/// Whether `text` is a handle: lower-case letters and digits of ASCII, joined by single hyphens.
pub(crate) fn is_handle(text: &str) -> bool {
    let sound = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= MAX_LEN && text.split('-').all(sound)
}

/// The words of `text`, folded and joined by hyphens: `Après la Pluie` becomes `apres-la-pluie`.
pub(crate) fn slug(text: &str) -> String {
    search::words(text).join("-")
}

/// What a title is sorted by: without case and accents, and not longer than a cursor can bear.
pub(crate) fn title_key(title: &str) -> String {
    search::words(title).join(" ").chars().take(MAX_TITLE_KEY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_plain_and_no_id_is_one() {
        for good in ["a", "daylight-skin-tint", "no-5"] {
            assert!(is_handle(good), "{good}");
        }
        let long = "a".repeat(MAX_LEN + 1);
        let id = "prd_01h2xcejqtf2nbrexx3vqjhp41";
        for bad in ["", "-a", "a-", "a--b", "A", "é", "a b", "a/b", id, &long] {
            assert!(!is_handle(bad), "{bad}");
        }
    }

    #[test]
    fn titles_become_handles_and_sort_keys() {
        assert_eq!(slug("Après la Pluie: Eau de Parfum"), "apres-la-pluie-eau-de-parfum");
        assert!(is_handle(&slug("Soirée Satin Lipstick N° 5")));
        assert_eq!(title_key("Écume"), "ecume");
        assert_eq!(title_key(&"x".repeat(200)).chars().count(), 40);
    }
}
