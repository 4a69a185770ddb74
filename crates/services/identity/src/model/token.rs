use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use kernel::{Rng, Secret, SessionId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::mac::keyed;

/// The secret in a mail's link: 256 random bits.
#[derive(Clone, Debug)]
pub(crate) struct LinkToken(Secret<String>);

impl LinkToken {
    /// The most characters that are read as one.
    pub(crate) const MAX_CHARACTERS: usize = 100;

    /// A new one.
    pub(crate) fn new(rng: &Rng) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(rng.bytes::<32>())))
    }

    /// As it stands in the link.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored of the token whose text is `text`. It has 256 random bits, so a plain hash
    /// cannot be turned back.
    pub(crate) fn hash(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }
}

/// A refresh token: which session, which of its tokens, and the proof that we gave it out.
///
/// The proof is a MAC over both and the session's own random seed, under a key that the vault
/// derives. So nothing at rest can be turned into a token: the database lacks the key, and who has
/// the key lacks the seed. One indexed row tells all about it, and an old token can be told from an
/// invented one without keeping a hash of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    /// Which session.
    pub(crate) session: SessionId,
    /// Which of its tokens, counted from one.
    pub(crate) generation: u32,
    proof: Secret<[u8; 32]>,
}

/// The most characters that are read as a refresh token.
pub(crate) const MAX_REFRESH_CHARACTERS: usize = 100;

/// Lets scanners that look for leaked secrets recognise one.
const PREFIX: &str = "souk_rt_";

impl RefreshToken {
    /// The token `generation` of the session whose seed is `seed`.
    pub(crate) fn issue(key: &Secret<[u8; 32]>, session: SessionId, generation: u32, seed: &[u8]) -> Self {
        Self { session, generation, proof: Secret::new(proof(key, session, generation, seed)) }
    }

    /// Reads one; whether it is genuine only [`RefreshToken::is_genuine`] tells.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX).filter(|rest| rest.len() <= MAX_REFRESH_CHARACTERS)?;
        let bytes: [u8; 52] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, proof) = rest.split_first_chunk::<4>()?;
        Some(Self {
            session: SessionId::from_uuid(Uuid::from_bytes(*session)),
            generation: u32::from_be_bytes(*generation),
            proof: Secret::new(proof.try_into().ok()?),
        })
    }

    /// Whether it was given out for the session whose seed is `seed`.
    pub(crate) fn is_genuine(&self, key: &Secret<[u8; 32]>, seed: &[u8]) -> bool {
        self.proof.matches(proof(key, self.session, self.generation, seed))
    }

    /// The text that the client keeps.
    pub(crate) fn encode(&self) -> Secret<String> {
        let mut bytes = [0; 52];
        bytes[..16].copy_from_slice(self.session.uuid().as_bytes());
        bytes[16..20].copy_from_slice(&self.generation.to_be_bytes());
        bytes[20..].copy_from_slice(self.proof.expose());
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

fn proof(key: &Secret<[u8; 32]>, session: SessionId, generation: u32, seed: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(session.uuid().as_bytes());
    mac.update(&generation.to_be_bytes());
    mac.update(seed);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assume, proptest};

    use super::*;

    const KEY: Secret<[u8; 32]> = Secret::new([7; 32]);

    fn session() -> SessionId {
        "ses_01h455vb4pex5vsknk084sn02q".parse().unwrap()
    }

    #[test]
    fn a_token_survives_the_wire_and_nothing_else_is_genuine() {
        let token = RefreshToken::issue(&KEY, session(), 3, b"seed");
        let read = RefreshToken::parse(token.encode().expose()).unwrap();
        assert_eq!(read, token);
        assert!(read.is_genuine(&KEY, b"seed"));
        assert!(!read.is_genuine(&KEY, b"other"));
        assert!(!read.is_genuine(&Secret::new([8; 32]), b"seed"));
        let next = RefreshToken { generation: 4, ..read };
        assert!(!next.is_genuine(&KEY, b"seed"));
    }

    #[test]
    fn link_tokens_are_long_and_stored_as_hashes() {
        let token = LinkToken::new(&Rng::seeded(1));
        assert_eq!(token.expose().len(), 43);
        assert_ne!(LinkToken::hash(token.expose()).as_slice(), token.expose().as_bytes());
        assert_ne!(LinkToken::new(&Rng::seeded(2)).expose(), token.expose());
    }

    proptest! {
        #[test]
        fn any_text_is_an_answer_and_never_a_panic(text in ".{0,120}") {
            prop_assert!(RefreshToken::parse(&text).is_none());
            let _ = RefreshToken::parse(&format!("{PREFIX}{text}"));
        }

        #[test]
        fn a_changed_letter_is_never_genuine(at in 8_usize..77, letter in "[A-Za-z0-9_-]") {
            let text = RefreshToken::issue(&KEY, session(), 1, b"seed").encode().expose().clone();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &letter);
            prop_assume!(changed != text);
            let genuine = RefreshToken::parse(&changed).is_some_and(|token| token.is_genuine(&KEY, b"seed"));
            prop_assert!(!genuine);
        }
    }
}
