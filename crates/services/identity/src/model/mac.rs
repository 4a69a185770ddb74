use hmac::{Hmac, KeyInit};
use kernel::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC-SHA256 (RFC 2104) under `key`, ready to be fed.
pub(crate) fn keyed(key: &Secret<[u8; 32]>) -> Hmac<Sha256> {
    // The standard fills a short key with zeros up to a block. Doing that here leaves nothing that can fail.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key.expose());
    Hmac::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use hmac::Mac as _;

    use super::*;

    #[test]
    fn is_the_hmac_of_the_standard() {
        let key = Secret::new([7; 32]);
        let mut ours = keyed(&key);
        ours.update(b"message");
        let mut theirs = Hmac::<Sha256>::new_from_slice(key.expose()).unwrap();
        theirs.update(b"message");
        assert_eq!(ours.finalize().into_bytes(), theirs.finalize().into_bytes());
    }
}
