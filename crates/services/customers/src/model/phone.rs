/// Whether `text` can be a telephone number as people write it: 4 to 15 digits (ITU-T E.164 has no
/// more), a plus sign in front at most, and spaces and punctuation in between.
pub(crate) fn is_phone(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    text.len() <= 32
        && (4..=15).contains(&digits)
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b" ()./-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        assert!(["+49 30 901820", "(0171) 234-5678", "1234", "0049.30/901820"].into_iter().all(is_phone));
        assert!(!["", "123", "call me", "++49 30 901820", "1234567890123456"].into_iter().any(is_phone));
        assert!(!is_phone(&format!("1234{}", " ".repeat(40))));
    }
}
