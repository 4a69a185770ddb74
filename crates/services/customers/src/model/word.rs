/// Whether `text` is one word of the kind that purposes and sources are named with: 1 to 50
/// characters of `a` to `z`, `0` to `9` and `_`, a letter first.
pub(crate) fn is_word(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=50).contains(&text.len()) && text.as_bytes()[0].is_ascii_lowercase() && text.bytes().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain() {
        assert!(["analytics", "marketing_email", "x2"].into_iter().all(is_word));
        assert!(!["", "E-Mail", "2x", "_x", "an email"].into_iter().any(is_word));
        assert!(!is_word(&"a".repeat(51)));
    }
}
