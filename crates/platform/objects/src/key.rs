use object_store::path::Path;

use crate::ObjectsError;

/// The longest key in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// Leaves a file system room for an ending.
const MAX_SEGMENT_BYTES: usize = 200;

/// The path of `key`: segments of ASCII letters, digits and `-_.=@+`, joined by `/`. No segment begins with a dot,
/// which keeps `..` out and our own records apart.
pub(crate) fn path(key: &str) -> Result<Path, ObjectsError> {
    if key.len() > MAX_KEY_BYTES {
        return Err(ObjectsError::InvalidKey { reason: "is longer than 512 bytes" });
    }
    for segment in key.split('/') {
        if segment.is_empty() {
            return Err(ObjectsError::InvalidKey { reason: "is empty or has an empty segment" });
        }
        if segment.len() > MAX_SEGMENT_BYTES {
            return Err(ObjectsError::InvalidKey { reason: "has a segment longer than 200 bytes" });
        }
        if segment.starts_with('.') {
            return Err(ObjectsError::InvalidKey { reason: "has a segment that begins with a dot" });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=@+".contains(&byte);
        if !segment.bytes().all(allowed) {
            let reason = "may hold only ASCII letters, digits, and the characters - _ . = @ + /";
            return Err(ObjectsError::InvalidKey { reason });
        }
    }
    Path::parse(key).map_err(|_| ObjectsError::InvalidKey { reason: "is no path" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_are_kept_as_they_are() {
        for key in ["a", "pictures/prd_01h2/front.svg", "archive/day=2026-11-21/part-0.parquet", "a@b+c"] {
            assert_eq!(path(key).unwrap().as_ref(), key);
        }
    }

    #[test]
    fn keys_that_could_lead_elsewhere_are_refused() {
        let long = "x".repeat(MAX_SEGMENT_BYTES + 1);
        let deep = "x/".repeat(MAX_KEY_BYTES / 2) + "x";
        for key in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            ".",
            "a/./b",
            ".souk/records",
            "a\\b",
            "a\0b",
            "a b",
            "a%2e%2e",
            "a#1",
            "ä",
            "a\nb",
            &long,
            &deep,
        ] {
            assert!(matches!(path(key), Err(ObjectsError::InvalidKey { .. })), "{key:?} was taken");
        }
    }
}
