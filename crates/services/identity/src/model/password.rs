use kernel::Secret;
use mail::Address;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::common_passwords;

/// The fewest characters of a new password (NIST SP 800-63B-4 asks for at least 8, 15 when it stands alone).
pub(crate) const MIN_CHARACTERS: usize = 10;

/// The most characters of a password; beyond it nothing is gained and hashing is a burden.
pub(crate) const MAX_CHARACTERS: usize = 256;

/// A password in the one form in which it is hashed: NFKC, so that it is the same on every keyboard.
#[derive(Clone, Debug)]
pub(crate) struct Password(Secret<String>);

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
    /// Made of words and rows of keys that everybody tries first.
    #[error("is among the first that somebody would guess; choose one that is yours alone")]
    Common,
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
        }
    }
}

impl Password {
    /// A password that somebody claims to have. Nothing is refused: only the right one will match.
    pub(crate) fn attempt(text: &Secret<String>) -> Self {
        Self(Secret::new(text.expose().nfkc().collect()))
    }

    /// A password that somebody wants to have for the account with `address`.
    ///
    /// # Errors
    /// Why it would not protect them.
    pub(crate) fn choose(text: &Secret<String>, address: Option<&Address>) -> Result<Self, Weakness> {
        let password = Self::attempt(text);
        let characters = password.expose().chars().count();
        if characters < MIN_CHARACTERS {
            return Err(Weakness::TooShort);
        }
        if characters > MAX_CHARACTERS {
            return Err(Weakness::TooLong);
        }
        let folded = Zeroizing::new(password.expose().to_lowercase());
        if is_repeated(&folded) {
            return Err(Weakness::Repeated);
        }
        let is_address = |address: &Address| {
            *folded == address.normalised() || *folded == address.local_part().to_lowercase()
        };
        if address.is_some_and(is_address) {
            return Err(Weakness::IsAddress);
        }
        if common_passwords::is_common(&folded) {
            return Err(Weakness::Common);
        }
        Ok(password)
    }

    /// The text to hash.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
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
        Password::choose(&Secret::new(text.to_owned()), Some(&address))
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
        ] {
            assert_eq!(choose(text).unwrap_err(), weakness, "{text}");
        }
        assert_eq!(choose(&"long enough ".repeat(22)).unwrap_err(), Weakness::TooLong);
    }

    #[test]
    fn length_is_counted_in_characters_and_spaces_are_allowed() {
        choose("\u{e4}\u{f6}\u{fc}\u{df}\u{e9}\u{e8}\u{ea}\u{eb}\u{ee}\u{ef}").unwrap();
        choose("correct horse battery staple").unwrap();
    }

    #[test]
    fn keyboards_that_compose_differently_type_the_same_password() {
        let composed = choose("caf\u{e9} au lait, deux").unwrap();
        let decomposed = choose("cafe\u{301} au lait, deux").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
        assert!(!format!("{composed:?}").contains("lait"));
    }
}
