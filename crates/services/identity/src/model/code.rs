use hmac::Mac as _;
use kernel::{Rng, Secret};
use uuid::Uuid;

use super::mac::keyed;

/// How often a code may be typed wrongly before it is dead.
pub(crate) const MAX_TRIES: i64 = 5;

const DIGITS: usize = 8;

/// The code of a verification mail, for those who read the mail on another device: eight digits.
///
/// With [`MAX_TRIES`] and at most a handful of living codes per account, guessing succeeds less
/// than once in three million attempts.
#[derive(Clone, Debug)]
pub(crate) struct Code(Secret<String>);

impl Code {
    /// A new one.
    pub(crate) fn new(rng: &Rng) -> Self {
        Self(Secret::new(format!("{:0DIGITS$}", rng.below(10_u64.pow(DIGITS as u32)))))
    }

    /// Reads what somebody typed; spaces and hyphens are how people group digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        (digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(Secret::new(digits)))
    }

    /// The digits.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored for the mail `id`: keyed, since eight digits could be found by trying them all,
    /// and different for each mail.
    pub(crate) fn hash(&self, key: &Secret<[u8; 32]>, id: Uuid) -> [u8; 32] {
        let mut mac = keyed(key);
        mac.update(id.as_bytes());
        mac.update(self.expose().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = Code::parse("0123 45-67").unwrap();
        assert_eq!(code.expose(), "01234567");
        for bad in ["", "1234567", "123456789", "1234567a", "\u{661}2345678"] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(Code::new(&Rng::seeded(1)).expose().len(), DIGITS);
    }

    #[test]
    fn the_same_code_is_stored_differently_for_each_mail_and_key() {
        let code = Code::parse("01234567").unwrap();
        let (a, b) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let mail = Uuid::from_u128(1);
        assert_eq!(code.hash(&a, mail), code.hash(&a, mail));
        assert_ne!(code.hash(&a, mail), code.hash(&b, mail));
        assert_ne!(code.hash(&a, mail), code.hash(&a, Uuid::from_u128(2)));
    }
}
