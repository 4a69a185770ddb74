//! A modest rule against the passwords that are tried first: words, names and rows of keys from
//! which most of the leaked ones are put together, with the usual substitutions of letters.

/// Lower case ASCII, at least three characters each: what people call the thing itself; rows of keys and of the
/// alphabet; what people love, watch and play; names, seasons, days and months; and what holds them together.
const WORDS: &str = "\
    password passwort passwd passphrase motdepasse kennwort contrasena secret geheim login logon signin \
    letmein openup opensesame sesame changeme changeit default admin administrator root superuser user \
    username guest test testing tester demo temp temporary hello hallo bonjour welcome willkommen \
    bienvenue access account nothing whatever trustno security private computer internet samsung google \
    facebook instagram shop shopping souk customer beauty makeup \
    qwertyuiop qwertyui qwerty qwertzuiop qwertz azertyuiop azerty asdfghjkl asdfgh asdf zxcvbnm zxcvbn \
    zxcv yxcvbnm qazwsx qazwsxedc qweasd qweasdzxc qwe asd zxc 1q2w3e4r5t6y 1q2w3e4r5t 1q2w3e4r \
    q1w2e3r4t5 q1w2e3r4 1qaz2wsx3edc 1qaz2wsx zaq12wsx abcdefghijklmnopqrstuvwxyz abcdefghij abcdefgh \
    abcdef abcde abcd abc xyz aaa qqq zzz xxx \
    iloveyou iloveu loveyou loveme love ichliebedich jetaime teamo darling sweetheart princess \
    prinzessin princesa sunshine flower butterfly rainbow angel chocolate cookie cheese banana football \
    fussball baseball basketball soccer hockey liverpool chelsea arsenal barcelona bayern juventus \
    superman batman spiderman pokemon pikachu starwars matrix minecraft fortnite naruto dragon monkey \
    tigger tiger panther phoenix unicorn mustang ferrari porsche mercedes yamaha harley corvette freedom \
    forever jesus blessed master killer hunter ranger shadow ninja samurai warrior soldier wizard \
    maverick bigboss boss cool awesome fuckyou fuckoff fuck \
    michael michelle jennifer jessica ashley amanda daniel daniela andrea andreas charlie george thomas \
    robert joshua jordan matthew andrew anthony william nicole hannah sophie alexander alexandra alex \
    maria anna peter martin summer winter spring autumn sommer herbst fruehling monday friday sunday \
    january february march april june july august september october november december \
    this that the and mypassword your you for not one two new old mein dein our";

/// So many digits and signs around the words do not make a password any better.
const MAX_FILLING: usize = 6;

/// Whether `text` (lower case) is nothing but such words, in any number, with a few digits and
/// signs, or nothing but digits.
pub(super) fn is_common(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    if letters.iter().all(char::is_ascii_digit) {
        return true;
    }
    let words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
    // least[i]: the fewest filling characters with which the first i characters can be put together.
    let mut least = vec![None; letters.len() + 1];
    least[0] = Some(0);
    for start in 0..letters.len() {
        let Some(filling) = least[start] else { continue };
        if !letters[start].is_alphabetic() {
            lower(&mut least[start + 1], filling + 1);
        }
        for word in &words {
            if begins_with(&letters[start..], word) {
                lower(&mut least[start + word.len()], filling);
            }
        }
    }
    least[letters.len()].is_some_and(|filling| filling <= MAX_FILLING)
}

fn lower(slot: &mut Option<usize>, value: usize) {
    *slot = Some(slot.map_or(value, |known| known.min(value)));
}

fn begins_with(letters: &[char], word: &str) -> bool {
    letters.len() >= word.len() && word.chars().zip(letters).all(|(wanted, found)| stands_for(*found, wanted))
}

/// Whether people write `found` where they mean the letter `wanted`.
fn stands_for(found: char, wanted: char) -> bool {
    found == wanted
        || matches!(
            (found, wanted),
            ('0', 'o')
                | ('1' | '!' | '|', 'i' | 'l')
                | ('3', 'e')
                | ('4' | '@', 'a')
                | ('5' | '$', 's')
                | ('7', 't')
                | ('8', 'b')
                | ('9', 'g')
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_found_in_its_usual_disguises() {
        for text in [
            "password12",
            "p4$$w0rd2026",
            "passwordpassword",
            "qwertyuiop",
            "1234567890",
            "iloveyou!!",
            "letmein2026!",
            "welcome-2-souk",
            "summer2026!!",
            "adminadmin1",
            "1q2w3e4r5t!",
            "!!hello!!hello",
            "the-secret-1",
        ] {
            assert!(is_common(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_among_them_is_left_alone() {
        for text in [
            "correct horse battery staple",
            "passwords are a nuisance",
            "j8#kd02mfp",
            "mein hund frisst nachts",
            "#9$2&7!4%6(",
            "rosewood serum",
            "",
        ] {
            assert!(!is_common(text) || text.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_list_is_fit_for_matching() {
        for word in WORDS.split_ascii_whitespace() {
            assert!(
                word.len() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{word}"
            );
        }
    }
}
