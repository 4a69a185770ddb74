//! Card numbers (ISO/IEC 7812): 13 to 19 digits that pass the Luhn check and begin with a prefix
//! and have a length that an issuer uses.
//!
//! The issuer rule is what keeps clocks and counters out: no network issues numbers that begin
//! with 1, so microseconds and nanoseconds since 1970 pass until 2033, and 0 opens no card. (UATP,
//! the airlines' own card, does begin with 1 and is left out for that reason.) A number that is
//! surrounded by letters, as in a TypeID, a hash or base64, and every UUID are passed over.
//!
//! Two reaches: a log would rather lose a list of shoe sizes than keep a card, so [`find`] takes
//! any grouping with any separators; a request is refused on [`contains_card_number`], so that
//! takes only ways in which cards are written.

use super::{CARD, Finding};

/// How freely digits may be grouped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Undivided, or groups of 3 to 8 digits with one and the same separator between them; not
    /// beside a letter; not a barcode (a GTIN of 13 or 14 digits with a right check digit).
    Written,
    /// Groups of any size with up to three separators between them, even glued to a word.
    Spread,
}

const MIN_DIGITS: usize = 13;
const MAX_DIGITS: usize = 19;
const MAX_GAP: usize = 3;

/// First and last six-digit prefix of an issuer's range, shortest and longest number in it.
const ISSUERS: [(u32, u32, usize, usize); 21] = [
    (220_000, 220_599, 16, 19), // Mir, Borica
    (222_100, 272_099, 16, 16), // Mastercard
    (300_000, 305_999, 14, 19), // Diners Club
    (309_500, 309_599, 14, 19), // Diners Club
    (340_000, 349_999, 15, 15), // American Express
    (352_800, 358_999, 16, 19), // JCB
    (360_000, 369_999, 14, 19), // Diners Club
    (370_000, 379_999, 15, 15), // American Express
    (380_000, 399_999, 14, 19), // Diners Club
    (400_000, 499_999, 13, 13), // Visa, the old length
    (400_000, 499_999, 16, 16), // Visa
    (400_000, 499_999, 19, 19), // Visa
    (500_000, 509_999, 13, 19), // Maestro, RuPay, Elo, Verve
    (510_000, 559_999, 16, 16), // Mastercard
    (560_000, 589_999, 13, 19), // Maestro
    (600_000, 609_999, 16, 19), // Discover, RuPay, Hipercard
    (620_000, 629_999, 16, 19), // UnionPay
    (630_000, 679_999, 13, 19), // Maestro, Discover
    (810_000, 829_999, 16, 19), // UnionPay, RuPay
    (860_000, 860_099, 16, 16), // Uzcard
    (979_200, 986_099, 16, 16), // Troy, Humo
];

/// Whether a card number is written in `text`: undivided, or in groups of 3 to 8 digits with one
/// separator. Linear in the length of the text and without allocation.
pub fn contains_card_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut found = false;
    scan(bytes, Reach::Written, |start, end| {
        found = !is_telephone_number(bytes, start, end);
        !found
    });
    found
}

/// Whether it is a telephone number as E.164 writes it, `+` and at most 15 digits. German mobile
/// numbers have 13 and begin with 49, so a tenth of them would pass for old Visa cards.
fn is_telephone_number(bytes: &[u8], start: usize, end: usize) -> bool {
    let digits = bytes[start..end].iter().filter(|byte| byte.is_ascii_digit()).count();
    start > 0 && bytes[start - 1] == b'+' && digits <= 15
}

pub(super) fn find(text: &str, findings: &mut Vec<Finding>) {
    scan(text.as_bytes(), Reach::Spread, |start, end| {
        findings.push(Finding { range: start..end, replacement: CARD });
        true
    });
}

/// Calls `found` with start and end of each card number until it answers false.
fn scan(bytes: &[u8], reach: Reach, mut found: impl FnMut(usize, usize) -> bool) {
    let mut at = 0;
    // Digits at this place are not glued to what stands before them.
    let mut open_at = 0;
    while at < bytes.len() {
        if let Some(len) = escape_len(&bytes[at..]) {
            at += len;
            open_at = at;
        } else if bytes[at].is_ascii_hexdigit() && starts_token(bytes, at, open_at) && is_uuid(&bytes[at..]) {
            at += UUID_LEN;
        } else if bytes[at].is_ascii_digit() {
            if opens(bytes, at, open_at, reach)
                && let Some(end) = card_at(bytes, at, reach)
                && !found(at, end)
            {
                return;
            }
            at += digit_run(&bytes[at..]);
        } else {
            at += 1;
        }
    }
}

/// The end of the longest card number that begins with the digit at `start`.
fn card_at(bytes: &[u8], start: usize, reach: Reach) -> Option<usize> {
    let mut digits = [0_u8; MAX_DIGITS];
    let mut count = 0;
    let mut at = start;
    let mut best = None;
    let mut first_gap: Option<&[u8]> = None;
    loop {
        let run = digit_run(&bytes[at..at + (bytes.len() - at).min(MAX_DIGITS + 1)]);
        if count + run > MAX_DIGITS {
            return best;
        }
        for (slot, byte) in digits[count..].iter_mut().zip(&bytes[at..at + run]) {
            *slot = byte - b'0';
        }
        count += run;
        at += run;
        let grouped_well = reach == Reach::Spread || first_gap.is_none() || (3..=8).contains(&run);
        if grouped_well && is_card(&digits[..count], reach) && closes(bytes, at, reach) {
            best = Some(at);
        }
        let gap = gap_len(&bytes[at..], reach);
        if gap == 0 || !grouped_well {
            return best;
        }
        if reach == Reach::Written {
            let gap = &bytes[at..at + gap];
            let first_run_fits = first_gap.is_some() || (3..=8).contains(&run);
            if !first_run_fits || first_gap.is_some_and(|first| first != gap) {
                return best;
            }
            first_gap = Some(gap);
        }
        at += gap;
    }
}

fn digit_run(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The length of the separators at the front when another digit follows them, else zero.
fn gap_len(bytes: &[u8], reach: Reach) -> usize {
    let most = if reach == Reach::Spread { MAX_GAP } else { 1 };
    let mut len = 0;
    for _ in 0..most {
        match separator_len(&bytes[len..]) {
            0 => break,
            separator => len += separator,
        }
    }
    if bytes.get(len).is_some_and(u8::is_ascii_digit) { len } else { 0 }
}

/// The length of one separator at the front, zero when there is none.
fn separator_len(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'\t' | b'\n' | b'\r' | b'-' | b'.' | b'_' | b'/' | b'+' | b'*' | b'\'', ..] => 1,
        // No-break space and soft hyphen.
        [0xC2, 0xA0 | 0xAD, ..] => 2,
        // The general spaces and dashes U+2000 to U+2015, thin no-break space U+202F, middle dot
        // kin U+2022, word joiner U+2060, minus U+2212, ideographic space U+3000.
        [0xE2, 0x80, 0x80..=0x95 | 0xA2 | 0xAF, ..] | [0xE2, 0x81, 0xA0, ..] => 3,
        [0xE2, 0x88, 0x92, ..] | [0xE3, 0x80, 0x80, ..] => 3,
        _ => escape_len(bytes).unwrap_or(0),
    }
}

/// The length of a percent-encoded byte or a backslash escape at the front.
fn escape_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => Some(3),
        [b'\\', b'n' | b'r' | b't', ..] => Some(2),
        _ => None,
    }
}

/// Whether a number may begin at `at`.
fn opens(bytes: &[u8], at: usize, open_at: usize, reach: Reach) -> bool {
    let before = &bytes[open_at..at];
    let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if letters == 0 {
        return true;
    }
    // "card4111…" is a word and a number; "9f4111…" is a hash.
    reach == Reach::Spread && !before[..before.len() - letters].last().is_some_and(u8::is_ascii_digit)
}

/// Whether a number may end before `at`.
fn closes(bytes: &[u8], at: usize, reach: Reach) -> bool {
    let after = &bytes[at..];
    let letters = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    letters == 0 || (reach == Reach::Spread && !after.get(letters).is_some_and(u8::is_ascii_digit))
}

const UUID_LEN: usize = 36;

fn starts_token(bytes: &[u8], at: usize, open_at: usize) -> bool {
    at == open_at || !bytes[at - 1].is_ascii_alphanumeric()
}

/// Whether a UUID (RFC 9562, versions 1 to 8) stands at the front.
fn is_uuid(bytes: &[u8]) -> bool {
    let Some(shape) = bytes.get(..UUID_LEN) else { return false };
    let sound = shape.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        14 => (b'1'..=b'8').contains(byte),
        19 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
        _ => byte.is_ascii_hexdigit(),
    });
    sound && !bytes.get(UUID_LEN).is_some_and(u8::is_ascii_alphanumeric)
}

fn is_card(digits: &[u8], reach: Reach) -> bool {
    if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) {
        return false;
    }
    let prefix = digits[..6].iter().fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
    let issued = ISSUERS.iter().any(|(first, last, shortest, longest)| {
        (*first..=*last).contains(&prefix) && (*shortest..=*longest).contains(&digits.len())
    });
    issued && luhn(digits) && !(reach == Reach::Written && is_gtin(digits))
}

/// The Luhn check of ISO/IEC 7812-1 annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether it is a barcode: GTIN-13 or GTIN-14 with its GS1 check digit.
fn is_gtin(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(*digit) * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    digits.len() <= 14 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::redact::redact;

    /// Test numbers that the networks and their processors publish.
    const PUBLISHED: [&str; 14] = [
        "4111111111111111",
        "4242424242424242",
        "4012888888881881",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "3056930009020004",
        "36227206271667",
        "3566002020360505",
        "6200000000000005",
        "6759649826438453",
    ];

    #[test]
    fn published_test_numbers_are_found_however_they_are_written() {
        for number in PUBLISHED {
            assert!(contains_card_number(number), "{number}");
            assert!(contains_card_number(&format!(r#"{{"number":"{number}","cvc":"123"}}"#)), "{number}");
            assert!(contains_card_number(&format!("{{\"number\":{number}}}")), "{number}");
        }
        for text in [
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111 12/27",
            "3782 822463 10005",
            "number=4111+1111+1111+1111&cvc=123",
            "number=4111%201111%201111%201111",
            "my card:\\n4111111111111111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "order 12: 4111 1111 1111 1111",
        ] {
            assert!(contains_card_number(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_card_number_is_let_through() {
        for text in [
            "4111111111111112",
            "1763765372000001",
            "1763765372000",
            "1763765372000000001",
            "2026-11-21T22:49:32.000001Z",
            "20261121224932000001",
            "ord_01h2xcejqtf2nbrexx3vqjhp41",
            "41111111-1111-4111-8111-111111111111",
            "4006381333931",
            "36 38 40 42 44 46 48 50",
            "[4111,1111,1111,1111]",
            "a4111111111111111",
            "94111111111111111111111111111111",
            "+49 30 901820 4111",
            "+4915123456704",
            "call +49151 2345-6704",
            "DE89370400440532013000",
        ] {
            assert!(!contains_card_number(text), "{text}");
        }
    }

    fn with_check_digit(mut digits: Vec<u8>) -> Vec<u8> {
        digits.push(0);
        let last = digits.len() - 1;
        while !luhn(&digits) {
            digits[last] += 1;
        }
        digits
    }

    prop_compose! {
        fn card()(
            (prefix, len) in prop_oneof![
                (400_000_u32..=499_999, Just(16_usize)),
                (400_000_u32..=499_999, Just(13_usize)),
                (400_000_u32..=499_999, Just(19_usize)),
                (510_000_u32..=559_999, Just(16_usize)),
                (222_100_u32..=272_099, Just(16_usize)),
                (370_000_u32..=379_999, Just(15_usize)),
                (360_000_u32..=369_999, Just(14_usize)),
                (620_000_u32..=629_999, 16_usize..=19),
            ],
            rest in proptest::collection::vec(0_u8..10, 12),
        ) -> Vec<u8> {
            let mut digits: Vec<u8> = prefix.to_string().bytes().map(|byte| byte - b'0').collect();
            digits.extend(&rest[..len - 7]);
            with_check_digit(digits)
        }
    }

    proptest! {
        #[test]
        fn no_card_survives_in_any_separators(
            digits in card(),
            gaps in proptest::collection::vec("( |-|\\.|_|/|\\+|\u{a0}|\u{2009}|\u{2013}|%20|\\\\n|\t){0,3}", 18),
            before in "[a-zA-Z ,:\"'(]{0,12}",
            after in "[ ,;:\")}a-z]{0,12}",
        ) {
            let mut written = String::new();
            for (place, digit) in digits.iter().enumerate() {
                if place > 0 {
                    written.push_str(&gaps[place - 1]);
                }
                written.push(char::from(b'0' + digit));
            }
            let out = redact(&format!("{before}{written}{after}")).into_owned();
            prop_assert!(!out.contains(&written), "{out}");
            prop_assert!(!out.bytes().any(|byte| byte.is_ascii_digit()), "{out}");
        }

        #[test]
        fn cards_as_people_write_them_are_refused(digits in card(), separator in "[ \\-./]") {
            let text: Vec<String> = digits.iter().map(u8::to_string).collect();
            prop_assume!(!is_gtin(&digits));
            prop_assert!(contains_card_number(&text.concat()));
            if digits.len() % 4 == 0 || digits.len() % 4 == 3 {
                let groups: Vec<String> = text.chunks(4).map(<[String]>::concat).collect();
                prop_assert!(contains_card_number(&groups.join(&separator)));
            }
        }

        #[test]
        fn ids_and_times_pass(uuid in any::<u128>(), micros in 0_i64..1_999_999_999_999_999) {
            let id = kernel::OrderId::from_uuid(Uuid::from_u128(uuid));
            prop_assert!(!contains_card_number(&id.to_string()));
            prop_assert!(!contains_card_number(&uuid_text(uuid)));
            prop_assert_eq!(redact(&uuid_text(uuid)).into_owned(), uuid_text(uuid));
            let clock = (1_000_000_000_000_000 + micros % 1_000_000_000_000_000).to_string();
            prop_assert!(!contains_card_number(&clock));
            prop_assert!(!contains_card_number(&kernel::Timestamp::from_micros(micros).to_string()));
        }

        #[test]
        fn never_panics_and_keeps_utf8(text in ".{0,200}") {
            let _ = contains_card_number(&text);
            let _ = redact(&text);
        }
    }

    fn uuid_text(bits: u128) -> String {
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | (7 << 76) | (2 << 62);
        Uuid::from_u128(bits).to_string()
    }
}
