//! Blanks what must not be written down: secrets, mail addresses, tokens and card numbers.
//!
//! Text is searched by its content ([`redact`]); a named field also by its name ([`field`]).
//! Every search is one pass over the text without regular expressions.

mod assignment;
mod card;
mod field;
mod mail_address;
mod token;

use std::borrow::Cow;
use std::ops::Range;

pub use card::contains_card_number;
pub use field::{field, is_secret_name};

/// What stands in the place of a secret value.
pub const SECRET: &str = "[secret]";
const TOKEN: &str = "[token]";
const MAIL_ADDRESS: &str = "[email]";
const CARD: &str = "[card]";

/// Something that was found and what to write in its place.
struct Finding {
    range: Range<usize>,
    replacement: &'static str,
}

/// `text` without the secrets, mail addresses, tokens and card numbers in it; borrowed when there
/// was nothing to blank, so ordinary text costs no allocation.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut findings = Vec::new();
    assignment::find(text, &mut findings);
    token::find(text, &mut findings);
    mail_address::find(text, &mut findings);
    card::find(text, &mut findings);
    if findings.is_empty() {
        return Cow::Borrowed(text);
    }
    // Where findings overlap, the union is blanked and the one that begins first names it.
    findings.sort_by_key(|finding| (finding.range.start, std::cmp::Reverse(finding.range.end)));
    let mut out = String::with_capacity(text.len());
    let mut written = 0;
    for Finding { range, replacement } in findings {
        if range.start >= written {
            out.push_str(&text[written..range.start]);
            out.push_str(replacement);
        }
        written = written.max(range.end);
    }
    out.push_str(&text[written..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_borrowed_and_unchanged() {
        for text in [
            "",
            "order ord_01h2xcejqtf2nbrexx3vqjhp41 placed at 2026-11-21T22:49:32.000001Z for 42.00 EUR",
            "request 0190e1c4-4111-7111-8111-111111111111 took 12.5 ms",
            "listening on 127.0.0.1:8080, operations on [::1]:8081",
            "micros=1763765372000001 offset=01h2xcej:42",
            "the token was refused; sign in again",
            "Bearer token missing",
            "souk@0.1.0 built",
            "größe 36 für Zoë",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text} -> {}",
                redact(text)
            );
        }
    }

    #[test]
    fn everything_at_once() {
        let text = "signin jane.doe@example.com password=hunter2 card 4111 1111 1111 1111 with Bearer abcdef0123456789abc";
        assert_eq!(redact(text), "signin [email] password=[secret] card [card] with Bearer [secret]");
    }

    #[test]
    fn redacting_twice_changes_nothing_more() {
        for text in [
            r#"{"password":"x","email":"a@example.com"}"#,
            "Authorization: Bearer abcdef0123456789abc",
            "password=hunter2; token: abc",
            "postgres://souk:hunter2@db.example.com/souk",
        ] {
            let once = redact(text).into_owned();
            assert_eq!(redact(&once), once);
        }
    }
}
