//! Which files are pictures, and what a browser may do with them.

/// The largest picture in bytes.
pub(crate) const MAX_BYTES: usize = 5 * 1024 * 1024;

/// A kind of picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// The ending of its address.
    pub(crate) extension: &'static str,
    begins: fn(&[u8]) -> bool,
}

const KINDS: [Kind; 6] = [
    Kind {
        media_type: "image/png",
        extension: "png",
        begins: |bytes| bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
    },
    Kind { media_type: "image/jpeg", extension: "jpg", begins: |bytes| bytes.starts_with(b"\xff\xd8\xff") },
    Kind { media_type: "image/gif", extension: "gif", begins: |bytes| bytes.starts_with(b"GIF8") },
    Kind {
        media_type: "image/webp",
        extension: "webp",
        begins: |bytes| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
    },
    Kind { media_type: "image/avif", extension: "avif", begins: |bytes| bytes.get(4..8) == Some(b"ftyp") },
    Kind { media_type: "image/svg+xml", extension: "svg", begins: is_svg },
];

impl Kind {
    /// The kind with this media type; parameters such as a charset do not matter.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        KINDS.into_iter().find(|kind| kind.media_type.eq_ignore_ascii_case(essence))
    }

    /// Whether the bytes begin as such a picture does.
    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        (self.begins)(bytes)
    }
}

/// Whether it is XML whose root is `svg`, as far as its beginning tells.
fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<') && text.contains("<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_must_be_what_they_are_said_to_be() {
        let svg = b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>";
        assert!(Kind::of("image/svg+xml; charset=utf-8").unwrap().matches(svg));
        assert!(Kind::of("IMAGE/PNG").unwrap().matches(b"\x89PNG\r\n\x1a\n\0\0"));
        assert!(Kind::of("image/webp").unwrap().matches(b"RIFF\x10\0\0\0WEBPVP8 "));
        assert!(!Kind::of("image/png").unwrap().matches(svg));
        assert!(!Kind::of("image/svg+xml").unwrap().matches(b"<html><script>"));
        assert!(!Kind::of("image/jpeg").unwrap().matches(b""));
        assert!(Kind::of("text/html").is_none());
        assert!(Kind::of("image/").is_none());
    }
}
