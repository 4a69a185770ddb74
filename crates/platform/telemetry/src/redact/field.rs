use std::borrow::Cow;

use super::{SECRET, redact};

/// The value of the field `name` as it may be written down: blank when the name says that it is
/// a secret, and otherwise searched as any text is.
pub fn field<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret_name(name) || (is_code_name(name) && !is_plain_code(value)) {
        Cow::Borrowed(SECRET)
    } else {
        redact(value)
    }
}

/// Whether a field of this name holds a secret: names that contain a word such as `password`,
/// `secret`, `authorization`, `cookie`, `api_key`, and names that end in `token`, `otp`, `cvc` or
/// `pin`. Case, `_`, `-` and `.` do not matter, so `accessToken` and `X-Api-Key` are two of them.
pub fn is_secret_name(name: &str) -> bool {
    const CONTAINS: [&str; 11] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "authorization",
        "cookie",
        "credential",
        "apikey",
        "privatekey",
        "masterkey",
        "cardnumber",
    ];
    const WORDS: [&str; 4] = ["otp", "cvc", "cvv", "pin"];
    let folded: String =
        name.chars().filter(|c| !matches!(c, '_' | '-' | '.')).map(|c| c.to_ascii_lowercase()).collect();
    // "shipping" ends in "pin" only as letters do: the short words must stand alone.
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    CONTAINS.iter().any(|word| folded.contains(word))
        || folded.ends_with("token")
        || WORDS.iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// Names under which both a one-time code and an error code are written.
pub(super) fn is_code_name(name: &str) -> bool {
    ["code", "verification_code", "recovery_code", "backup_code", "auth_code"]
        .iter()
        .any(|code| name.eq_ignore_ascii_case(code))
}

/// Whether the value of a `code` field is one that everybody may read: a stable error code
/// (`orders.out_of_stock`: lower-case words) or a number below 1000, such as an HTTP status.
pub(super) fn is_plain_code(value: &str) -> bool {
    let number = value.len() <= 3 && value.bytes().all(|b| b.is_ascii_digit());
    let words = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.');
    number || (words && value.contains(['_', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        let secret = "password new_password accessToken refresh_token Authorization set-cookie X-Api-Key \
                      client_secret otp user.otp cvc Cookie api_key";
        for name in secret.split(' ') {
            assert!(is_secret_name(name), "{name}");
        }
        for name in "token_type tokens order_id name shipping spin status key laptop".split(' ') {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn one_time_codes_go_and_error_codes_stay() {
        assert_eq!(field("code", "493021"), "[secret]");
        assert_eq!(field("code", "K7QF-9XZM"), "[secret]");
        assert_eq!(field("code", "orders.out_of_stock"), "orders.out_of_stock");
        assert_eq!(field("code", "404"), "404");
        assert_eq!(field("status_code", "4041"), "4041");
        assert_eq!(field("note", "jane@example.com"), "[email]");
    }
}
