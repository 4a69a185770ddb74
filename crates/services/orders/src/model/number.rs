//! The number that people read to each other.

use kernel::{OrderId, encode_suffix};

/// How many letters a number has: 40 bits, so that ten million orders clash about 45 times in all.
const LETTERS: usize = 8;
/// How many it has when the short one is taken: 60 bits.
const MORE_LETTERS: usize = 12;

/// The numbers that may be given to an order, the one to prefer first.
///
/// A number is the end of the order's id in Crockford's base32, which has no I, L, O or U:
/// `S-7K3M-9QXT`. Those bits are random, so a number tells nothing about how many orders the shop
/// has; and whoever sees the number and the id side by side sees that they belong together.
pub(crate) fn candidates(order: OrderId) -> [String; 2] {
    [number(order, LETTERS), number(order, MORE_LETTERS)]
}

fn number(order: OrderId, letters: usize) -> String {
    let suffix = encode_suffix(order.uuid());
    let mut number = String::from("S");
    for (index, byte) in suffix[suffix.len() - letters..].iter().enumerate() {
        if index % 4 == 0 {
            number.push('-');
        }
        number.push(char::from(byte.to_ascii_uppercase()));
    }
    number
}

/// `text` as a number is written, when a person may have typed one: in capitals, with its dashes.
pub(crate) fn normalise(text: &str) -> String {
    let letters: String = text
        .trim()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| match letter.to_ascii_uppercase() {
            // Crockford's own reading of the letters that his alphabet leaves out.
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let Some(rest) = letters.strip_prefix('S').filter(|rest| matches!(rest.len(), LETTERS | MORE_LETTERS))
    else {
        return text.trim().to_owned();
    };
    let groups: Vec<&str> = (0..rest.len()).step_by(4).map(|at| &rest[at..at + 4]).collect();
    format!("S-{}", groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_end_of_the_id() {
        let order: OrderId = "ord_01h2xcejqtf2nbrexx3vqjhp41".parse().unwrap();
        assert_eq!(candidates(order), ["S-3VQJ-HP41", "S-REXX-3VQJ-HP41"]);
    }

    #[test]
    fn typed_numbers_are_read_with_forgiveness() {
        for typed in ["S-3VQJ-HP41", "s3vqjhp41", " s 3vqj hp4l ", "S-3VQJ-HP4I"] {
            assert_eq!(normalise(typed), "S-3VQJ-HP41", "{typed}");
        }
        assert_eq!(normalise("1042"), "1042");
        assert_eq!(normalise("Sérum"), "Sérum");
    }
}
