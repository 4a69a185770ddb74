use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use kernel::{Secret, Timestamp};
use sha2::{Digest, Sha256};

use super::Scheduled;

/// An Ed25519 key (RFC 8032) that signs tokens; `EdDSA` in JOSE (RFC 8037).
pub struct SigningKey {
    kid: String,
    active_from: Timestamp,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    pub(crate) fn new(secret: &Secret<[u8; 32]>, active_from: Timestamp) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(secret.expose());
        Self { kid: thumbprint(key.verifying_key().as_bytes()), active_from, key }
    }

    /// Its id: the thumbprint of the public key (RFC 7638), in base64url.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// From when on it signs.
    pub const fn active_from(&self) -> Timestamp {
        self.active_from
    }

    /// The public half.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The public half as a JSON Web Key (RFC 8037 section 2).
    pub fn to_jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode(self.public_key()),
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
        })
    }

    /// The signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The private half in PKCS #8 DER (RFC 8410), for libraries that sign by themselves.
    pub fn to_pkcs8_der(&self) -> Secret<Vec<u8>> {
        let mut der = Vec::with_capacity(PKCS8_PREFIX.len() + 32);
        der.extend_from_slice(&PKCS8_PREFIX);
        der.extend_from_slice(self.key.as_bytes());
        Secret::new(der)
    }
}

/// What stands before the 32 bytes of every Ed25519 key in PKCS #8: lengths, version, and the algorithm.
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl Scheduled for Arc<SigningKey> {
    fn active_from(&self) -> Timestamp {
        self.active_from
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// RFC 7638: the hash of the required members, in the order of their names, without spaces.
fn thumbprint(public_key: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public_key);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;

    use super::*;

    /// RFC 8037 appendix A: key, thumbprint and signature.
    #[test]
    fn vectors_of_rfc_8037() {
        let d = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::new(&Secret::new(d.try_into().unwrap()), Timestamp::EPOCH);
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.to_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    /// RFC 8410 section 10.3.
    #[test]
    fn pkcs8_vector_of_rfc_8410() {
        let expected =
            STANDARD.decode("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
        let secret: [u8; 32] = expected[16..].try_into().unwrap();
        let key = SigningKey::new(&Secret::new(secret), Timestamp::EPOCH);
        assert_eq!(*key.to_pkcs8_der().expose(), expected);
        let read = ed25519_dalek::SigningKey::from_pkcs8_der(&expected).unwrap();
        assert_eq!(read.to_bytes(), secret);
    }

    #[test]
    fn the_private_half_is_never_printed() {
        let key = SigningKey::new(&Secret::new([7; 32]), Timestamp::EPOCH);
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid()));
    }
}
