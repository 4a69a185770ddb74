//! Mail addresses, also with a percent-encoded at sign as in a URL.

use super::{Finding, MAIL_ADDRESS};

pub(super) fn find(text: &str, findings: &mut Vec<Finding>) {
    let mut searched = 0;
    // `scheme://[secret]@host` is no address any more, and its host may be read.
    let mut blanked_until: Vec<usize> = findings.iter().map(|finding| finding.range.end).collect();
    blanked_until.sort_unstable();
    for (at, _) in text.match_indices(['@', '%']) {
        let sign = if text[at..].starts_with('@') {
            1
        } else if text[at..].starts_with("%40") {
            3
        } else {
            continue;
        };
        let start = local_part_start(text, searched, at);
        let end = at + sign + domain_len(&text[at + sign..]);
        // A local part that ends in stars was masked by whoever wrote it.
        let masked = text[start..at].ends_with("***");
        if start < at && end > at + sign && !masked && blanked_until.binary_search(&at).is_err() {
            findings.push(Finding { range: start..end, replacement: MAIL_ADDRESS });
        }
        searched = at + sign;
    }
}

/// Where the local part before `at` begins. Of the characters of RFC 5322's atoms, those that
/// divide a URL or an assignment (`= / ? & | { } %`) end it: they are not seen in real addresses.
fn local_part_start(text: &str, from: usize, at: usize) -> usize {
    let belongs = |c: char| c.is_alphanumeric() || ".!#$'*+^_`~-".contains(c);
    text[from..at].char_indices().rev().take_while(|(_, c)| belongs(*c)).last().map_or(at, |(i, _)| from + i)
}

/// The length of the domain at the front: labels with a dot between them, the last with a letter.
fn domain_len(text: &str) -> usize {
    let belongs = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let len = text.find(|c| !belongs(c)).unwrap_or(text.len());
    let domain = text[..len].trim_end_matches(['.', '-']);
    let sound = domain.rsplit_once('.').is_some_and(|(before, last)| {
        !before.is_empty() && last.chars().count() >= 2 && last.chars().any(char::is_alphabetic)
    });
    if sound { domain.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::redact::redact;

    #[test]
    fn addresses_are_blanked_and_the_rest_is_kept() {
        for (text, expected) in [
            ("to jane@example.com.", "to [email]."),
            ("<Jane.O'Brien+shop@mail.example.co.uk>", "<[email]>"),
            ("email=jane@example.com&x=1", "email=[email]&x=1"),
            ("/reset?email=jane%40example.com", "/reset?email=[email]"),
            ("a@example.com,b@example.org", "[email],[email]"),
            ("zoë@bücher.example", "[email]"),
            ("j***@example.com", "j***@example.com"),
            ("npm left-pad@1.3.0", "npm left-pad@1.3.0"),
            ("@media screen", "@media screen"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    proptest! {
        #[test]
        fn no_address_survives(
            local in "[a-zA-Z0-9][a-zA-Z0-9._+-]{0,20}",
            domain in "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\\.[a-z]{2,8}",
            before in "[ a-z:<(\",=]{0,10} ",
            after in "( [a-z ]{0,10})?",
        ) {
            let out = redact(&format!("{before}{local}@{domain}{after}")).into_owned();
            prop_assert!(!out.contains('@'), "{out}");
        }
    }
}
