//! Tokens that are known by their form: JWTs, `Authorization` credentials, passwords in URLs.

use super::{Finding, SECRET, TOKEN};

const MIN_JWT: usize = 20;
const MIN_CREDENTIAL: usize = 8;
const SURE_CREDENTIAL: usize = 16;

pub(super) fn find(text: &str, findings: &mut Vec<Finding>) {
    find_jwts(text, findings);
    for scheme in ["bearer", "basic", "dpop"] {
        find_credentials(text, scheme, findings);
    }
    find_url_passwords(text, findings);
}

/// A JSON object in base64url begins with `eyJ`; a JWT has a dot after its header.
fn find_jwts(text: &str, findings: &mut Vec<Finding>) {
    let mut from = 0;
    while let Some(at) = text[from..].find("eyJ").map(|at| from + at) {
        let len = token_len(&text[at..]);
        if len >= MIN_JWT && text[at..at + len].contains('.') {
            findings.push(Finding { range: at..at + len, replacement: TOKEN });
        }
        from = at + len;
    }
}

/// `scheme` followed by credentials. Prose such as "Bearer token missing" is kept: credentials
/// are long or have a digit in them.
fn find_credentials(text: &str, scheme: &str, findings: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + scheme.len() < bytes.len() {
        let here = bytes[at..at + scheme.len()].eq_ignore_ascii_case(scheme.as_bytes());
        let begins_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if !(here && begins_word) {
            at += 1;
            continue;
        }
        at += scheme.len();
        let spaces = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        let start = at + spaces;
        let len = token_len(&text[start..]);
        let has_digit = bytes[start..start + len].iter().any(u8::is_ascii_digit);
        if spaces > 0 && (len >= SURE_CREDENTIAL || (len >= MIN_CREDENTIAL && has_digit)) {
            findings.push(Finding { range: start..start + len, replacement: SECRET });
        }
        at = start + len;
    }
}

/// The length of the run of token68 characters (RFC 9110 section 11.2) at the front.
fn token_len(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b)).count()
}

/// `scheme://user:password@host`: the user information goes, the host stays.
fn find_url_passwords(text: &str, findings: &mut Vec<Finding>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let authority = &text[start..];
        let end =
            authority.find(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c)).unwrap_or(authority.len());
        let sign = authority[..end].rfind('@');
        if let Some(sign) = sign.filter(|sign| *sign > 0 && &authority[..*sign] != SECRET) {
            findings.push(Finding { range: start..start + sign, replacement: SECRET });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::redact;

    #[test]
    fn tokens_are_blanked_by_their_form() {
        for (text, expected) in [
            ("got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjdXNfMSJ9.c2lnbmF0dXJl, refused", "got [token], refused"),
            ("Bearer abcdefgh12345678", "Bearer [secret]"),
            ("bearer  opaqueopaqueopaque", "bearer  [secret]"),
            ("Basic c291azpodW50ZXIy=", "Basic [secret]"),
            ("Basic authentication is off", "Basic authentication is off"),
            (
                "to postgres://souk:hunter2@db.example.com:5432/souk",
                "to postgres://[secret]@db.example.com:5432/souk",
            ),
            ("nats://token@127.0.0.1:4222", "nats://[secret]@127.0.0.1:4222"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }
}
