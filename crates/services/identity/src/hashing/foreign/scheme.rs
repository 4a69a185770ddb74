use aes::Aes256;
use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::forms::Params;
use super::{phpass, scrypt_file};
use crate::hashing::argon::Memory;

/// How a system elsewhere made its hashes, with the parameters of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hashing) enum Scheme {
    /// RFC 9106.
    Argon2 { algorithm: Algorithm, version: Version, memory_kib: u32, passes: u32, lanes: u32, length: usize },
    /// OpenBSD's, of what [`Before`] makes of the password.
    Bcrypt { cost: u32, before: Before },
    /// RFC 7914.
    Scrypt { log_n: u32, r: u32, p: u32, length: usize },
    /// The header of an encrypted file, as Medusa keeps it; see [`scrypt_file`].
    ScryptFile { log_n: u32, r: u32, p: u32 },
    /// RFC 8018.
    Pbkdf2 { hash: Hash, rounds: u32, length: usize },
    /// Firebase's: scrypt makes a key, and AES-256-CTR encrypts the project's signer key with it. What is
    /// kept is the key stream, which is the same for every signer key; so none has to be kept.
    FirebaseScrypt { log_n: u32, r: u32 },
    /// MD5 over and over.
    Phpass { log_rounds: u32 },
}

/// What is done to a password before bcrypt, which looks at 72 bytes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hashing) enum Before {
    /// Nothing: what is beyond the 72 bytes counts for nothing.
    Nothing,
    /// Django's: SHA-256 as hexadecimal.
    Sha256,
    /// WordPress's since 6.8: without blanks around it, HMAC-SHA384 under a fixed key, as base64.
    WordPress,
}

/// The hash within PBKDF2's HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hashing) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// What one check of a password costs, estimated from the parameters alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hashing) struct Cost {
    /// Memory, in KiB.
    pub(in crate::hashing) memory_kib: u64,
    /// Time on one core of a server of our days, in microseconds.
    pub(in crate::hashing) micros: u64,
}

/// There is no memory, or the parameters are none: both were looked at before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash cannot be computed")]
pub(in crate::hashing) struct Uncomputable;

impl From<argon2::Error> for Uncomputable {
    fn from(_: argon2::Error) -> Self {
        Self
    }
}

/// How much of a digest there has to be. Less would match by chance, and none at all would match anything.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

const WORDPRESS_KEY: &[u8] = b"wp-sha384";

impl Scheme {
    /// The name under which it is stored.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Argon2 { algorithm: Algorithm::Argon2d, .. } => "argon2d",
            Self::Argon2 { algorithm: Algorithm::Argon2i, .. } => "argon2i",
            Self::Argon2 { algorithm: Algorithm::Argon2id, .. } => "argon2id",
            Self::Bcrypt { before: Before::Nothing, .. } => "bcrypt",
            Self::Bcrypt { before: Before::Sha256, .. } => "bcrypt-sha256",
            Self::Bcrypt { before: Before::WordPress, .. } => "bcrypt-wordpress",
            Self::Scrypt { .. } => "scrypt",
            Self::ScryptFile { .. } => "scrypt-file",
            Self::Pbkdf2 { hash: Hash::Sha1, .. } => "pbkdf2-sha1",
            Self::Pbkdf2 { hash: Hash::Sha256, .. } => "pbkdf2-sha256",
            Self::Pbkdf2 { hash: Hash::Sha512, .. } => "pbkdf2-sha512",
            Self::FirebaseScrypt { .. } => "firebase-scrypt",
            Self::Phpass { .. } => "phpass",
        }
    }

    /// The parameters as they are stored.
    pub(super) fn params(&self) -> String {
        match *self {
            Self::Argon2 { version, memory_kib, passes, lanes, length, .. } => {
                let version = u32::from(version);
                format!("v={version},m={memory_kib},t={passes},p={lanes},l={length}")
            }
            Self::Bcrypt { cost, .. } => format!("c={cost}"),
            Self::Scrypt { log_n, r, p, length } => format!("ln={log_n},r={r},p={p},l={length}"),
            Self::ScryptFile { log_n, r, p } => format!("ln={log_n},r={r},p={p}"),
            Self::Pbkdf2 { rounds, length, .. } => format!("i={rounds},l={length}"),
            Self::FirebaseScrypt { log_n, r } => format!("ln={log_n},r={r}"),
            Self::Phpass { log_rounds } => format!("c={log_rounds}"),
        }
    }

    /// What [`Scheme::name`] and [`Scheme::params`] wrote.
    pub(super) fn read(name: &str, params: &Params<'_>) -> Option<Self> {
        let argon2 = |algorithm| {
            Some(Self::Argon2 {
                algorithm,
                version: Version::try_from(params.number("v")?).ok()?,
                memory_kib: params.number("m")?,
                passes: params.number("t")?,
                lanes: params.number("p")?,
                length: params.length()?,
            })
        };
        let bcrypt = |before| Some(Self::Bcrypt { cost: params.number("c")?, before });
        let pbkdf2 =
            |hash| Some(Self::Pbkdf2 { hash, rounds: params.number("i")?, length: params.length()? });
        let scheme = match name {
            "argon2d" => argon2(Algorithm::Argon2d),
            "argon2i" => argon2(Algorithm::Argon2i),
            "argon2id" => argon2(Algorithm::Argon2id),
            "bcrypt" => bcrypt(Before::Nothing),
            "bcrypt-sha256" => bcrypt(Before::Sha256),
            "bcrypt-wordpress" => bcrypt(Before::WordPress),
            "scrypt" => {
                let (log_n, r, p) = params.scrypt()?;
                Some(Self::Scrypt { log_n, r, p, length: params.length()? })
            }
            "scrypt-file" => params.scrypt().map(|(log_n, r, p)| Self::ScryptFile { log_n, r, p }),
            "pbkdf2-sha1" => pbkdf2(Hash::Sha1),
            "pbkdf2-sha256" => pbkdf2(Hash::Sha256),
            "pbkdf2-sha512" => pbkdf2(Hash::Sha512),
            "firebase-scrypt" => {
                Some(Self::FirebaseScrypt { log_n: params.number("ln")?, r: params.number("r")? })
            }
            "phpass" => Some(Self::Phpass { log_rounds: params.number("c")? }),
            _ => None,
        };
        scheme.filter(Self::is_sound)
    }

    /// Whether there is such a hash at all, whatever it costs.
    pub(super) fn is_sound(&self) -> bool {
        match *self {
            Self::Argon2 { length, .. } => self.argon2().is_some() && LENGTHS.contains(&length),
            Self::Bcrypt { cost, .. } => (4..=31).contains(&cost),
            Self::Scrypt { log_n, r, p, length } => {
                scrypt_params(log_n, r, p).is_some() && LENGTHS.contains(&length)
            }
            Self::ScryptFile { log_n, r, p } => scrypt_params(log_n, r, p).is_some(),
            Self::Pbkdf2 { rounds, length, .. } => rounds > 0 && LENGTHS.contains(&length),
            Self::FirebaseScrypt { log_n, r } => scrypt_params(log_n, r, 1).is_some(),
            Self::Phpass { log_rounds } => (7..=30).contains(&log_rounds),
        }
    }

    /// What checking one password costs. The factors were measured on a core of 3 GHz and rounded up.
    pub(super) fn cost(&self) -> Cost {
        let scrypt = |log_n: u32, r: u32, p: u32| {
            let blocks = u64::from(r).saturating_mul(1_u64.checked_shl(log_n).unwrap_or(u64::MAX));
            Cost { memory_kib: blocks / 8 + 1, micros: blocks.saturating_mul(u64::from(p)) / 2 }
        };
        let time = |micros| Cost { memory_kib: 0, micros };
        match *self {
            Self::Argon2 { memory_kib, passes, .. } => {
                Cost { memory_kib: memory_kib.into(), micros: u64::from(memory_kib) * u64::from(passes) }
            }
            Self::Bcrypt { cost, .. } => time(70 << cost.min(31)),
            Self::Scrypt { log_n, r, p, .. } | Self::ScryptFile { log_n, r, p } => scrypt(log_n, r, p),
            Self::FirebaseScrypt { log_n, r } => scrypt(log_n, r, 1),
            Self::Pbkdf2 { hash, rounds, length } => {
                let output = match hash {
                    Hash::Sha1 => 20,
                    Hash::Sha256 => 32,
                    Hash::Sha512 => 64,
                };
                time(u64::from(rounds) * length.div_ceil(output) as u64)
            }
            Self::Phpass { log_rounds } => time((1 << log_rounds.min(31)) / 2),
        }
    }

    /// The digest of a password.
    pub(super) fn digest(
        &self,
        password: &[u8],
        salt: &[u8],
        memory: &mut Memory,
    ) -> Result<Zeroizing<Vec<u8>>, Uncomputable> {
        match *self {
            Self::Argon2 { length, .. } => {
                let (mut out, argon2) = (buffer(length), self.argon2().ok_or(Uncomputable)?);
                let blocks = memory.blocks(argon2.params().block_count());
                argon2.hash_password_into_with_memory(password, salt, &mut out, blocks)?;
                Ok(out)
            }
            Self::Bcrypt { cost, before } => {
                let salt = salt.try_into().map_err(|_| Uncomputable)?;
                let key = before.apply(password);
                Ok(Zeroizing::new(bcrypt::bcrypt(cost, salt, &key)[..23].to_vec()))
            }
            Self::Scrypt { log_n, r, p, length } => scrypt(password, salt, (log_n, r, p), length),
            Self::ScryptFile { log_n, r, p } => {
                let key = scrypt(password, salt, (log_n, r, p), 64)?;
                let mac = scrypt_file::mac(&key[32..], (log_n, r, p), salt).ok_or(Uncomputable)?;
                Ok(Zeroizing::new(mac))
            }
            Self::FirebaseScrypt { log_n, r } => {
                let key = scrypt(password, salt, (log_n, r, 1), 32)?;
                key_stream(&key)
            }
            Self::Pbkdf2 { hash, rounds, length } => {
                let mut out = buffer(length);
                match hash {
                    Hash::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut out),
                    Hash::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut out),
                    Hash::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut out),
                }
                Ok(out)
            }
            Self::Phpass { log_rounds } => Ok(phpass::digest(password, salt, log_rounds)),
        }
    }

    fn argon2(&self) -> Option<Argon2<'static>> {
        let Self::Argon2 { algorithm, version, memory_kib, passes, lanes, length } = *self else {
            return None;
        };
        let mut builder = ParamsBuilder::new();
        builder.m_cost(memory_kib).t_cost(passes).p_cost(lanes).output_len(length);
        Some(Argon2::new(algorithm, version, builder.build().ok()?))
    }
}

impl Before {
    /// The key for bcrypt: a C string, of which at most 72 bytes are looked at.
    fn apply(self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(match self {
            Self::Nothing => password.to_vec(),
            Self::Sha256 => hex(&Sha256::digest(password)),
            Self::WordPress => {
                let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x0b);
                let start = password.iter().position(|byte| !blank(byte)).unwrap_or(password.len());
                let end = password.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
                let mut block = [0; 128];
                block[..WORDPRESS_KEY.len()].copy_from_slice(WORDPRESS_KEY);
                let mut mac = Hmac::<Sha384>::new((&block).into());
                mac.update(&password[start..end]);
                STANDARD.encode(mac.finalize().into_bytes()).into_bytes()
            }
        });
        key.push(0);
        key.truncate(72);
        key
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn buffer(length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; length])
}

fn scrypt_params(log_n: u32, r: u32, p: u32) -> Option<scrypt::Params> {
    scrypt::Params::new(u8::try_from(log_n).ok().filter(|log_n| *log_n > 0)?, r, p).ok()
}

fn scrypt(
    password: &[u8],
    salt: &[u8],
    (log_n, r, p): (u32, u32, u32),
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Uncomputable> {
    let mut out = buffer(length);
    let params = scrypt_params(log_n, r, p).ok_or(Uncomputable)?;
    scrypt::scrypt(password, salt, &params, &mut out).map_err(|_| Uncomputable)?;
    Ok(out)
}

/// The first 64 bytes of AES-256 in counter mode, the counter at nought.
fn key_stream(key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Uncomputable> {
    let cipher = Aes256::new_from_slice(key).map_err(|_| Uncomputable)?;
    let mut stream = Zeroizing::new(Vec::with_capacity(64));
    for counter in 0..4_u128 {
        let mut block = Block::<Aes256>::from(counter.to_be_bytes());
        cipher.encrypt_block(&mut block);
        stream.extend_from_slice(&block);
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_told_without_computing_anything() {
        let micros = |scheme: Scheme| scheme.cost().micros;
        let bcrypt = |cost| Scheme::Bcrypt { cost, before: Before::Nothing };
        assert!((100_000..500_000).contains(&micros(bcrypt(12))));
        assert!(micros(bcrypt(31)) > 100_000_000_000);
        let owasp = Scheme::Scrypt { log_n: 17, r: 8, p: 1, length: 32 };
        assert!((128 << 10..129 << 10).contains(&owasp.cost().memory_kib));
        assert!((200_000..1_000_000).contains(&micros(owasp)));
        let absurd = Scheme::ScryptFile { log_n: 63, r: u32::MAX, p: u32::MAX };
        assert!(absurd.cost().memory_kib > 1 << 50 && micros(absurd) > 1 << 50);
        let keycloak = Scheme::Pbkdf2 { hash: Hash::Sha256, rounds: 27_500, length: 64 };
        assert_eq!(micros(keycloak), 55_000);
    }

    #[test]
    fn digests_that_would_match_by_chance_are_none() {
        for length in [0, 1, 15, 129] {
            assert!(!Scheme::Pbkdf2 { hash: Hash::Sha256, rounds: 1, length }.is_sound(), "{length}");
            assert!(!Scheme::Scrypt { log_n: 10, r: 8, p: 1, length }.is_sound(), "{length}");
        }
    }

    #[test]
    fn bcrypt_gets_a_string_that_ends() {
        assert_eq!(Before::Nothing.apply(b""), Zeroizing::new(vec![0]));
        assert_eq!(Before::Nothing.apply(&[b'x'; 80]).len(), 72);
        assert_eq!(Before::WordPress.apply(b" \t ").len(), 65);
    }
}
