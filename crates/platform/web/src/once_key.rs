use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use kernel::Rng;
use sha2::{Digest as _, Sha256};

const NONCE_LEN: usize = 24;

/// What is kept of a caller's idempotency key and its request: hashes to know them by. The answer is sealed with a
/// third one that is kept nowhere, so nobody reads it but whoever sends the same request under the same key again.
///
/// Answers hold addresses and tokens of orders, and the table lies in backups.
pub(crate) struct OnceKey {
    /// What the key is called in the table.
    pub(crate) name: String,
    /// What the request is known by.
    pub(crate) fingerprint: [u8; 32],
    seal: Key,
}

impl OnceKey {
    /// For the request with the hash `request` that `caller` sent under `key`.
    pub(crate) fn new(caller: &str, key: &str, request: &[u8; 32]) -> Self {
        let parts: [&[u8]; 3] = [caller.as_bytes(), key.as_bytes(), request];
        Self {
            name: hex::encode(hash("name", &parts[..2])),
            fingerprint: hash("request", &parts),
            seal: Key::from(hash("answer", &parts)),
        }
    }

    /// Seals an answer with XChaCha20-Poly1305, its random nonce before it.
    pub(crate) fn seal(&self, answer: &[u8], rng: &Rng) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rng.bytes();
        let sealed = XChaCha20Poly1305::new(&self.seal).encrypt(&XNonce::from(nonce), answer).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made for the same request; `None` for anything else.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        XChaCha20Poly1305::new(&self.seal).decrypt(&XNonce::from(*nonce), sealed).ok()
    }
}

/// SHA-256 over `parts`, each with its length, so that no two lists of parts run together.
fn hash(purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [purpose.as_bytes()].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_opens_for_the_same_request_only() {
        let own = OnceKey::new("cus_1", "k1", &[1; 32]);
        let sealed = own.seal(b"1 Alder Street", &Rng::seeded(1)).unwrap();
        assert_eq!(OnceKey::new("cus_1", "k1", &[1; 32]).open(&sealed).unwrap(), b"1 Alder Street");
        for (caller, key, request) in
            [("cus_2", "k1", 1), ("cus_1", "k2", 1), ("cus_1", "k1", 2), ("cus_1k", "1", 1)]
        {
            let other = OnceKey::new(caller, key, &[request; 32]);
            assert_eq!(other.open(&sealed), None, "{caller} {key} {request}");
            assert_ne!(other.fingerprint, own.fingerprint);
            assert_eq!(other.name == own.name, (caller, key) == ("cus_1", "k1"));
        }
        assert_eq!(own.open(&sealed[..sealed.len() - 1]), None);
        assert_eq!(own.open(b"short"), None);
    }

    #[test]
    fn nothing_of_it_is_in_what_is_kept() {
        let key = OnceKey::new("cus_1", "k1", &[1; 32]);
        let sealed = key.seal(b"1 Alder Street", &Rng::seeded(1)).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"Alder"));
        assert_ne!(key.fingerprint, <[u8; 32]>::from(key.seal));
        assert!(!key.name.contains("k1"));
    }
}
