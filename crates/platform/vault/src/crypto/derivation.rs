use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Secret;
use sha2::Sha256;
use zeroize::Zeroize;

/// The root from which keys are derived: HKDF-SHA256 (RFC 5869), extracted once and expanded per context.
/// It never changes, so what is derived from it outlives every rotation of the master key.
pub(crate) struct Root(Secret<[u8; 32]>);

/// What a derived key is for. Two uses never share a key, even under the same context.
#[derive(Clone, Copy)]
enum Use {
    Derived,
    BlindIndex,
}

impl Root {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The key for `context`.
    pub(crate) fn derive(&self, context: &str) -> Secret<[u8; 32]> {
        self.expand(Use::Derived, context)
    }

    /// HMAC-SHA256 of `value` under a key of its own for `context`.
    pub(crate) fn blind_index(&self, context: &str, value: &str) -> [u8; 32] {
        hmac_sha256(self.expand(Use::BlindIndex, context).expose(), value.as_bytes())
    }

    fn expand(&self, usage: Use, context: &str) -> Secret<[u8; 32]> {
        let usage = match usage {
            Use::Derived => "derive",
            Use::BlindIndex => "blind-index",
        };
        expand(self.0.expose(), &[usage.as_bytes(), &[0], context.as_bytes()])
    }
}

/// A key from `secret`, for the use that `info` names.
pub(super) fn expand(secret: &[u8; 32], info: &[&[u8]]) -> Secret<[u8; 32]> {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(Some(b"souk.vault.v1"), secret);
    extracted.zeroize();
    let mut okm = [0; 32];
    // Only a length above 255 blocks is refused, and this is one block.
    let _ = hkdf.expand_multi_info(info, &mut okm);
    let key = Secret::new(okm);
    okm.zeroize();
    key
}

/// HMAC-SHA256 (RFC 2104).
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length, so the fallback of an all-zero key is never taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 appendix A, cases 1 to 3: they pin the library that everything here leans on.
    #[test]
    fn hkdf_vectors_of_rfc_5869() {
        type Case = (Vec<u8>, Vec<u8>, Vec<u8>, &'static str);
        let cases: [Case; 3] = [
            (
                vec![0x0b; 22],
                (0x00..=0x0c).collect(),
                (0xf0..=0xf9).collect(),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                (0x00..=0x4f).collect(),
                (0x60..=0xaf).collect(),
                (0xb0..=0xff).collect(),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e\
                 09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (ikm, salt, info, okm) in cases {
            let expected = hex::decode(okm).unwrap();
            let mut out = vec![0; expected.len()];
            Hkdf::<Sha256>::new(Some(&salt), &ikm).expand(&info, &mut out).unwrap();
            assert_eq!(out, expected);
        }
    }

    /// RFC 4231, cases 1, 2, 3 and 6 (a key longer than a block).
    #[test]
    fn hmac_vectors_of_rfc_4231() {
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let cases: [(Vec<u8>, &[u8], &str); 4] = [
            (vec![0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (vec![0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (vec![0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        ];
        for (key, message, mac) in cases {
            assert_eq!(hex::encode(hmac_sha256(&key, message)), mac);
        }
    }

    #[test]
    fn uses_and_contexts_never_share_a_key() {
        let root = Root::new([7; 32]);
        let index_key = root.expand(Use::BlindIndex, "x");
        assert!(!root.derive("x").matches(index_key.expose()));
        assert!(!root.derive("x").matches(root.derive("y").expose()));
        assert!(root.derive("x").matches(Root::new([7; 32]).derive("x").expose()));
        assert_ne!(root.blind_index("x", "a"), root.blind_index("y", "a"));
        assert_ne!(root.blind_index("x", "a"), root.blind_index("x", "b"));
        assert_eq!(root.blind_index("x", "a"), hmac_sha256(index_key.expose(), b"a"));
    }

    /// What is stored depends on these values: a change would orphan every index and derived key. They were
    /// computed from RFC 5869 and RFC 2104 with another implementation.
    #[test]
    fn derived_values_are_pinned() {
        let root = Root::new([7; 32]);
        assert_eq!(hex::encode(root.derive("souk.test").expose()), PINNED_DERIVED);
        assert_eq!(hex::encode(root.blind_index("souk.test", "a@example.com")), PINNED_INDEX);
    }

    const PINNED_DERIVED: &str = "762d0e2791ef867752714a8a34835b5e62bada81598cc8ee33a282e8194ba9a5";
    const PINNED_INDEX: &str = "bee8d9e1ccafb7362a0b4af72d643f7949e947d3522cdfd5f0a07798c9439901";
}
