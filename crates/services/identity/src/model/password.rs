use kernel::Secret;
use mail::Address;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{common_passwords, strength};

/// The fewest characters of a new password (NIST SP 800-63B-4 asks for at least 8, 15 when it stands alone).
pub(crate) const MIN_CHARACTERS: usize = 10;

/// The most characters of a password; beyond it nothing is gained and hashing is a burden.
pub(crate) const MAX_CHARACTERS: usize = 256;

/// A password in the one form in which it is hashed: NFKC, so that it is the same on every keyboard.
#[derive(Clone, Debug)]
pub(crate) struct Password {
    normal: Secret<String>,
    typed: Secret<String>,
}

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Weakness {
    /// Fewer than [`MIN_CHARACTERS`].
    #[error("must have at least {MIN_CHARACTERS} characters")]
    TooShort,
    /// More than [`MAX_CHARACTERS`].
    #[error("must have at most {MAX_CHARACTERS} characters")]
    TooLong,
    /// One or two characters over and over.
    #[error("must not be the same few characters over and over")]
    Repeated,
    /// The address itself, or the part before the @.
    #[error("must not be the e-mail address")]
    IsAddress,
    /// Made of words and rows of keys that everybody tries first, or on a list of common passwords.
    #[error("is among the first that somebody would guess; choose one that is yours alone")]
    Common,
    /// Guessed with fewer tries than the configuration asks for.
    #[error("would be guessed too soon; add a few words that do not belong together")]
    Guessable,
    /// On the operator's list, or known to the service that is asked.
    #[error("is known from a breach of another site; choose one that was never used anywhere")]
    Breached,
}

/// Whose password it is going to be, as far as is known: their own words are the first that are tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owner<'a> {
    pub(crate) address: Option<&'a Address>,
    pub(crate) name: Option<&'a str>,
}

impl Weakness {
    /// The stable word for the field error.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Repeated => "repeated",
            Self::IsAddress => "is_address",
            Self::Common => "common",
            Self::Guessable => "guessable",
            Self::Breached => "breached",
        }
    }
}

impl Password {
    /// A password that somebody claims to have. Nothing is refused: only the right one will match.
    pub(crate) fn attempt(text: &Secret<String>) -> Self {
        let normal = Secret::new(text.expose().nfkc().collect());
        Self { normal, typed: text.clone() }
    }

    /// Whether it may be a new password for the owner of these words. It takes up to some milliseconds.
    ///
    /// # Errors
    /// Why it would not protect them.
    pub(crate) fn check(&self, owner: &Words, min_score: u8) -> Result<(), Weakness> {
        self.check_rules(owner)?;
        strength::check(self.expose(), &owner.words, min_score)
    }

    /// The part of [`Password::check`] that takes next to no time.
    ///
    /// # Errors
    /// Why it would not protect them.
    pub(crate) fn check_rules(&self, owner: &Words) -> Result<(), Weakness> {
        let characters = self.expose().chars().count();
        if characters < MIN_CHARACTERS {
            return Err(Weakness::TooShort);
        }
        if characters > MAX_CHARACTERS {
            return Err(Weakness::TooLong);
        }
        let folded = Zeroizing::new(self.expose().to_lowercase());
        if is_repeated(&folded) {
            return Err(Weakness::Repeated);
        }
        if owner.address.contains(&*folded) {
            return Err(Weakness::IsAddress);
        }
        if common_passwords::is_common(&folded) {
            return Err(Weakness::Common);
        }
        if owner.are_all_of(&folded) {
            return Err(Weakness::Guessable);
        }
        Ok(())
    }

    /// The text to hash.
    pub(crate) fn expose(&self) -> &str {
        self.normal.expose()
    }

    /// The text as it was typed, which is what other systems have hashed.
    pub(crate) fn typed(&self) -> &str {
        self.typed.expose()
    }
}

/// The words of an [`Owner`] and of the shop, which make a password no stronger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// The whole address, and the part before the @.
    address: Vec<String>,
    /// In lower case, the longest first.
    words: Vec<String>,
}

/// So many words are looked at, and so many characters of each.
const MAX_WORDS: (usize, usize) = (256, 64);

/// So many letters and digits around a person's own words do not make a password any better.
const MAX_FILLING: usize = 6;

impl Words {
    pub(crate) fn of(owner: Owner<'_>, shop: &[String]) -> Self {
        let address = owner
            .address
            .map_or_else(Vec::new, |address| vec![address.normalised(), address.local_part().to_lowercase()]);
        let whole =
            shop.iter().map(String::as_str).chain(address.iter().map(String::as_str)).chain(owner.name);
        let parts = |text: &str| {
            let folded = text.to_lowercase();
            let parts = folded.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned);
            parts.chain([folded.clone()]).collect::<Vec<_>>()
        };
        let (count, length) = MAX_WORDS;
        let words = whole.flat_map(parts).filter(|word| word.chars().nth(2).is_some()).take(count);
        let mut words: Vec<String> = words.map(|word| word.chars().take(length).collect()).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self { words, address }
    }

    /// Whether a password in lower case is made of them and little else.
    fn are_all_of(&self, password: &str) -> bool {
        let mut rest = Zeroizing::new(password.to_owned());
        for word in &self.words {
            rest = Zeroizing::new(rest.replace(word.as_str(), " "));
        }
        *rest != *password && rest.chars().filter(|letter| letter.is_alphanumeric()).count() <= MAX_FILLING
    }
}

/// Whether the text has fewer than three different characters.
fn is_repeated(text: &str) -> bool {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return true };
    let Some(second) = characters.find(|c| *c != first) else { return true };
    !characters.any(|c| c != first && c != second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password, Weakness> {
        let address = "ada.lovelace@example.com".parse().unwrap();
        let owner = Owner { address: Some(&address), name: Some("Augusta Byron") };
        let password = Password::attempt(&Secret::new(text.to_owned()));
        password.check(&Words::of(owner, &["Maren Vale".to_owned()]), 3).map(|()| password)
    }

    #[test]
    fn weak_ones_are_refused_with_the_reason() {
        for (text, weakness) in [
            ("short", Weakness::TooShort),
            ("\u{1f600}\u{1f600}\u{1f600}abcdef", Weakness::TooShort),
            ("aaaaaaaaaaaa", Weakness::Repeated),
            ("abababababab", Weakness::Repeated),
            ("Ada.Lovelace@example.com", Weakness::IsAddress),
            ("ada.lovelace", Weakness::IsAddress),
            ("Password123!", Weakness::Common),
            ("lovelaceada1", Weakness::Guessable),
            ("AugustaByron", Weakness::Guessable),
            ("maren vale 1", Weakness::Guessable),
            ("vale-of-maren-2026", Weakness::Guessable),
            ("ada: augusta byron!", Weakness::Guessable),
        ] {
            assert_eq!(choose(text).unwrap_err(), weakness, "{text}");
        }
        assert_eq!(choose(&"long enough ".repeat(22)).unwrap_err(), Weakness::TooLong);
    }

    #[test]
    fn length_is_counted_in_characters_and_spaces_are_allowed() {
        choose("\u{e4}\u{f6}\u{fc}\u{df}\u{e9}\u{e8}\u{ea}\u{eb}\u{ee}\u{ef}").unwrap();
        choose("correct horse battery staple").unwrap();
        choose("byron fed nine grey herons").unwrap();
    }

    #[test]
    fn keyboards_that_compose_differently_type_the_same_password() {
        let composed = choose("caf\u{e9} au lait, deux").unwrap();
        let decomposed = choose("cafe\u{301} au lait, deux").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
        assert_ne!(composed.typed(), decomposed.typed());
        assert!(!format!("{composed:?}").contains("lait"));
    }

    #[test]
    fn the_words_of_a_person_are_bounded() {
        let name = "word ".repeat(1_000);
        let words = Words::of(Owner { address: None, name: Some(&name) }, &[]);
        assert_eq!(words.words.len(), 256);
        assert!(words.words.iter().all(|word| word.chars().count() <= 64));
    }
}
