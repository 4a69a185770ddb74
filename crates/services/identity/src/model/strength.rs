//! How soon somebody would guess a password, estimated by zxcvbn. Its dictionaries are those of the crate
//! (MIT): some thirty thousand passwords that were seen most often, English words and names, besides rows of
//! keys, dates and repetitions.

use zxcvbn::matching::patterns::{DictionaryPattern, MatchPattern};
use zxcvbn::{Entropy, zxcvbn};

use super::password::Weakness;

/// So many characters are looked at. What it takes grows faster than the text, and by then a text that is worth
/// anything has long been strong enough.
const LOOKED_AT: usize = 64;

/// Whether the beginning of `text` is as strong as `min_score` asks for, when `words` are tried first.
///
/// # Errors
/// A password that is on the list of common ones is refused with any score.
pub(super) fn check(text: &str, words: &[String], min_score: u8) -> Result<(), Weakness> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let beginning = text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end]);
    let estimate = zxcvbn(beginning, &words);
    if is_listed(&estimate) {
        return Err(Weakness::Common);
    }
    if u8::from(estimate.score()) < min_score { Err(Weakness::Guessable) } else { Ok(()) }
}

/// Whether the whole of it is one entry of the list of passwords, however it is disguised.
fn is_listed(estimate: &Entropy) -> bool {
    let [only] = estimate.sequence() else { return false };
    let MatchPattern::Dictionary(DictionaryPattern { dictionary_name, .. }) = &only.pattern else {
        return false;
    };
    // The type of the name is not public; what it is by default is the list of passwords.
    *dictionary_name == Default::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_refused_with_any_score() {
        for text in ["qwertyuiop", "123456789a", "Passw0rd", "drowssap", "1Q2W3E4R5T"] {
            assert_eq!(check(text, &[], 0), Err(Weakness::Common), "{text}");
        }
        assert_eq!(check("rosewood12", &[], 0), Ok(()));
    }

    #[test]
    fn the_threshold_is_a_matter_of_configuration() {
        let score = |text: &str| (0..=4).take_while(|score| check(text, &[], *score).is_ok()).count();
        assert!(score("rosewood12") < 4);
        assert_eq!(score("correct horse battery staple"), 5);
        let (text, own) = ("zhuravlevka77", ["zhuravlevka".to_owned()]);
        assert_eq!(check(text, &[], 3), Ok(()));
        assert_eq!(check(text, &own, 3), Err(Weakness::Guessable));
    }

    #[test]
    fn a_long_text_costs_no_more_than_its_beginning() {
        let long = "correct horse battery staple ".repeat(200);
        assert_eq!(check(&long, &[], 4), Ok(()));
        let (short, longer) = ("\u{e9}".repeat(64), "\u{e9}".repeat(65) + " correct horse battery staple");
        assert_eq!(check(&longer, &[], 4), check(&short, &[], 4));
    }
}
