use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use kernel::{Rng, Secret};
use zeroize::{Zeroize, Zeroizing};

use super::derivation::expand;
use super::sealed::KeyId;

/// The key that wraps all others: 32 random bytes.
#[derive(Clone)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Names a master key without telling anything about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MasterKeyId(pub(crate) KeyId);

impl MasterKey {
    /// A new one.
    pub fn generate(rng: &Rng) -> Self {
        let mut bytes = rng.bytes();
        let key = Self(Secret::new(bytes));
        bytes.zeroize();
        key
    }

    /// Reads 32 bytes in base64 (any alphabet, with or without padding) or hex; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            hex::decode(text).ok()
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|it| it.decode(text).ok())
        };
        let bytes = Zeroizing::new(bytes?);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Secret::new(key)))
    }

    /// The text that [`Self::parse`] reads.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(STANDARD.encode(self.0.expose()))
    }

    /// Its public name: the first eight bytes of a value derived from it.
    pub(crate) fn id(&self) -> MasterKeyId {
        let derived = expand(self.0.expose(), &[b"master-key-id"]);
        let mut id = [0; 8];
        id.copy_from_slice(&derived.expose()[..8]);
        MasterKeyId(id)
    }

    /// The key that wraps other keys.
    pub(crate) fn wrapping_key(&self) -> Secret<[u8; 32]> {
        expand(self.0.expose(), &[b"wrap"])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[master key]")
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_base64_and_hex_and_never_printed() {
        let key = MasterKey::generate(&Rng::seeded(1));
        let again = MasterKey::parse(key.to_text().expose()).unwrap();
        assert_eq!(again.id(), key.id());
        let from_hex = MasterKey::parse(&hex::encode(key.0.expose())).unwrap();
        assert!(from_hex.wrapping_key() == key.wrapping_key());
        let unpadded = URL_SAFE_NO_PAD.encode(key.0.expose());
        assert_eq!(MasterKey::parse(&format!(" {unpadded}\n")).unwrap().id(), key.id());
        assert_eq!(format!("{key:?}"), "[master key]");
    }

    #[test]
    fn anything_but_32_bytes_is_refused() {
        for bad in ["", "password", "AAAA", &"a".repeat(63), &"g".repeat(64), &STANDARD.encode([0; 33])] {
            assert!(MasterKey::parse(bad).is_none(), "{bad}");
        }
    }
}
