/// The most characters of a language tag that anybody uses (RFC 5646 section 4.4.1).
pub(crate) const MAX_LOCALE: usize = 35;

/// Whether `text` has the shape of a language tag (BCP 47): a language of two or three letters,
/// then subtags of one to eight letters and digits. Whether such a language exists is not checked.
pub(crate) fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    text.len() <= MAX_LOCALE
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags
            .all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_bcp_47() {
        assert!(["de", "de-CH", "zh-Hant-TW", "es-419", "sl-rozaj-biske"].into_iter().all(is_locale));
        assert!(
            !["", "d", "german", "de_CH", "de-", "de--CH", "de-verylongtag", "12"].into_iter().any(is_locale)
        );
    }
}
