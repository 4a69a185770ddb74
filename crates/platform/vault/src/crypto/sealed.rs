use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use kernel::Rng;
use uuid::Uuid;

use crate::error::VaultError;

/// Names a key.
pub(crate) type KeyId = [u8; 8];

/// The most bytes that are sealed at once.
pub(crate) const MAX_PLAINTEXT: usize = 16 * 1024 * 1024;

/// The only format so far: `1, key id (8), nonce (24), ciphertext, tag (16)`, sealed with
/// XChaCha20-Poly1305. Its nonces are long enough to be drawn at random for ever.
const FORMAT: u8 = 1;
const HEADER_LEN: usize = 1 + size_of::<KeyId>();
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const BODY_START: usize = HEADER_LEN + NONCE_LEN;

/// What a ciphertext belongs to. It opens for nothing else, so it cannot be moved to another person,
/// column or use.
#[derive(Clone, Copy)]
pub(crate) enum Binding<'a> {
    /// A value of a person, in a context such as `customers.address`.
    Person { person: Uuid, context: &'a str },
    /// The data key of a person, under a master key.
    DataKey { person: Uuid, key_id: KeyId },
    /// The private half of a signing key, under a master key.
    SigningKey { kid: &'a str },
    /// The root of derived keys, under a master key.
    Root,
}

impl Binding<'_> {
    /// The associated data: the header, what sort of thing it is, and what it belongs to. The one part of
    /// variable length stands last, so no two bindings give the same bytes.
    fn associated_data(&self, header: &[u8]) -> Vec<u8> {
        let mut data = header.to_vec();
        match self {
            Self::Person { person, context } => {
                data.push(1);
                data.extend_from_slice(person.as_bytes());
                data.extend_from_slice(context.as_bytes());
            }
            Self::DataKey { person, key_id } => {
                data.push(2);
                data.extend_from_slice(person.as_bytes());
                data.extend_from_slice(key_id);
            }
            Self::SigningKey { kid } => {
                data.push(3);
                data.extend_from_slice(kid.as_bytes());
            }
            Self::Root => data.push(4),
        }
        data
    }
}

/// Seals `plaintext` under `key`, which is called `key_id`.
pub(crate) fn seal(
    (key_id, key): (KeyId, &[u8; 32]),
    binding: Binding<'_>,
    plaintext: &[u8],
    rng: &Rng,
) -> Result<Vec<u8>, VaultError> {
    let too_large = VaultError::TooLarge { limit: MAX_PLAINTEXT };
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(too_large);
    }
    let nonce: [u8; NONCE_LEN] = rng.bytes();
    let mut sealed = Vec::with_capacity(BODY_START + plaintext.len() + TAG_LEN);
    sealed.push(FORMAT);
    sealed.extend_from_slice(&key_id);
    let associated_data = binding.associated_data(&sealed);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt_inout_detached(&XNonce::from(nonce), &associated_data, (&mut sealed[BODY_START..]).into())
        .map_err(|_| too_large)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// The id of the key under which `sealed` was sealed.
pub(crate) fn key_id_of(sealed: &[u8]) -> Result<KeyId, VaultError> {
    if sealed.len() < BODY_START + TAG_LEN || sealed[0] != FORMAT {
        return Err(VaultError::Refused);
    }
    sealed[1..HEADER_LEN].try_into().map_err(|_| VaultError::Refused)
}

/// Opens what [`seal`] made under the same key and binding.
pub(crate) fn open(
    (key_id, key): (KeyId, &[u8; 32]),
    binding: Binding<'_>,
    sealed: &[u8],
) -> Result<Vec<u8>, VaultError> {
    if key_id_of(sealed)? != key_id {
        return Err(VaultError::Refused);
    }
    let (header, rest) = sealed.split_at(HEADER_LEN);
    let (nonce, rest) = rest.split_at(NONCE_LEN);
    let (body, tag) = rest.split_at(rest.len() - TAG_LEN);
    let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Refused)?;
    let tag = Tag::try_from(tag).map_err(|_| VaultError::Refused)?;
    let mut plaintext = body.to_vec();
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt_inout_detached(
            &nonce,
            &binding.associated_data(header),
            plaintext.as_mut_slice().into(),
            &tag,
        )
        .map_err(|_| VaultError::Refused)?;
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::{Aead, Payload};
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const KEY: (KeyId, &[u8; 32]) = ([3; 8], &[9; 32]);
    const PERSON: Uuid = Uuid::from_u128(5);
    const BINDING: Binding<'static> = Binding::Person { person: PERSON, context: "customers.name" };

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn xchacha20_poly1305_vector_of_the_draft() {
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let message =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                        sunscreen would be it.";
        let expected = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39\
                        ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff\
                        921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        let cipher = XChaCha20Poly1305::new(&Key::try_from(key.as_slice()).unwrap());
        let nonce = XNonce::try_from(nonce.as_slice()).unwrap();
        let sealed = cipher.encrypt(&nonce, Payload { msg: message, aad: &aad }).unwrap();
        assert_eq!(hex::encode(sealed), expected);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let sealed = seal(KEY, BINDING, b"Maria", &Rng::seeded(1)).unwrap();
        assert_eq!(open(KEY, BINDING, &sealed).unwrap(), b"Maria");
        for index in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[index] ^= 1 << bit;
                assert!(matches!(open(KEY, BINDING, &changed), Err(VaultError::Refused)), "{index}:{bit}");
            }
            assert!(open(KEY, BINDING, &sealed[..index]).is_err(), "{index}");
        }
    }

    #[test]
    fn nothing_opens_for_another_binding_or_key() {
        let kid = "customers.name";
        let bindings = [
            BINDING,
            Binding::Person { person: Uuid::from_u128(6), context: "customers.name" },
            Binding::Person { person: PERSON, context: "customers.nam" },
            Binding::DataKey { person: PERSON, key_id: [3; 8] },
            Binding::DataKey { person: PERSON, key_id: [4; 8] },
            Binding::SigningKey { kid },
            Binding::Root,
        ];
        for (made, binding) in bindings.into_iter().enumerate() {
            let sealed = seal(KEY, binding, b"x", &Rng::seeded(1)).unwrap();
            for (asked, binding) in bindings.into_iter().enumerate() {
                assert_eq!(open(KEY, binding, &sealed).is_ok(), made == asked, "{made} {asked}");
            }
            assert!(open(([4; 8], KEY.1), binding, &sealed).is_err());
            assert!(open((KEY.0, &[8; 32]), binding, &sealed).is_err());
        }
    }

    #[test]
    fn equal_plaintexts_do_not_look_alike() {
        let rng = Rng::seeded(1);
        assert_ne!(seal(KEY, BINDING, b"x", &rng).unwrap(), seal(KEY, BINDING, b"x", &rng).unwrap());
    }

    #[test]
    fn the_limit_is_a_limit() {
        let long = vec![0; MAX_PLAINTEXT + 1];
        assert!(matches!(seal(KEY, BINDING, &long, &Rng::seeded(1)), Err(VaultError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plaintext in proptest::collection::vec(any::<u8>(), 0..300)) {
            let sealed = seal(KEY, BINDING, &plaintext, &Rng::system()).unwrap();
            prop_assert_eq!(open(KEY, BINDING, &sealed).unwrap(), plaintext);
        }

        #[test]
        fn noise_is_refused_and_never_a_panic(noise in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(open(KEY, BINDING, &noise).is_err());
        }
    }
}
