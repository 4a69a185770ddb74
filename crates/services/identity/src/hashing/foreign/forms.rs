//! The forms in which other systems write their hashes. Each reader answers `None` for what is not
//! its own; what a hash costs is judged by who asked.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Params as ArgonParams, Version};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::scheme::{Before, Hash, Scheme};
use super::{phpass, scrypt_file};

/// A hash as it was read.
pub(in crate::hashing) struct Form {
    pub(super) scheme: Scheme,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

/// A longer text is no hash.
const MAX_TEXT: usize = 1_024;

/// A longer salt is none that anybody writes.
const MAX_SALT: usize = 128;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true)
    .with_encode_padding(false);

const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);

/// Base64 without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Base64 with or without padding, in the standard's alphabet, that for addresses, or passlib's.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let standard: String = text
        .chars()
        .map(|letter| match letter {
            '-' | '.' => '+',
            '_' => '/',
            letter => letter,
        })
        .collect();
    BASE64.decode(standard).ok()
}

/// Parameters as PHC strings have them: `ln=14,r=8`.
pub(super) struct Params<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Params<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        text.split(',').map(|pair| pair.split_once('=')).collect::<Option<_>>().map(Self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn length(&self) -> Option<usize> {
        self.get("l")?.parse().ok()
    }

    pub(super) fn scrypt(&self) -> Option<(u32, u32, u32)> {
        Some((self.number("ln")?, self.number("r")?, self.number("p")?))
    }
}

impl Form {
    /// Reads a hash in any of the forms.
    pub(in crate::hashing) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        const READERS: [fn(&str) -> Option<Form>; 8] =
            [argon2, bcrypt, scrypt, django_scrypt, pbkdf2, django_pbkdf2, firebase, phpass];
        let form = READERS.iter().find_map(|read| read(text)).or_else(|| medusa(text));
        form.filter(|form| form.scheme.is_sound() && form.salt.len() <= MAX_SALT)
    }
}

/// `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, with Django's `argon2` before it or without.
fn argon2(text: &str) -> Option<Form> {
    let phc = text.strip_prefix("argon2").filter(|rest| rest.starts_with('$')).unwrap_or(text);
    let parsed = PasswordHash::new(phc).ok()?;
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
    let version = parsed.version.map_or(Some(Version::V0x10), |version| version.try_into().ok())?;
    let params = ArgonParams::try_from(&parsed).ok()?;
    let digest = parsed.hash?.as_bytes().to_vec();
    let scheme = Scheme::Argon2 {
        algorithm,
        version,
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
        lanes: params.p_cost(),
        length: digest.len(),
    };
    // A key or data besides the password is a secret that stayed where the hash comes from.
    let whole = params.keyid().is_empty() && params.data().is_empty();
    whole.then_some(Form { scheme, salt: parsed.salt?.to_vec(), digest })
}

/// `$2b$12$` and 53 letters; Django's `bcrypt$` and `bcrypt_sha256$`, and WordPress's `$wp` before it.
fn bcrypt(text: &str) -> Option<Form> {
    let (before, modular) = if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
        (Before::Sha256, rest)
    } else if let Some(rest) = text.strip_prefix("$wp$") {
        (Before::WordPress, &text[text.len() - rest.len() - 1..])
    } else {
        (Before::Nothing, text.strip_prefix("bcrypt$").unwrap_or(text))
    };
    // `2x` is what crypt_blowfish made while it was faulty: nobody can tell what its hashes are of.
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| modular.strip_prefix(prefix))?;
    let (cost, letters) = rest.split_once('$')?;
    let (salt, digest) = letters.split_at_checked(22)?;
    let whole = cost.len() == 2 && letters.len() == 53;
    let (salt, digest) = (BCRYPT.decode(salt).ok()?, BCRYPT.decode(digest).ok()?);
    let scheme = Scheme::Bcrypt { cost: cost.parse().ok()?, before };
    whole.then_some(Form { scheme, salt, digest })
}

/// `$scrypt$ln=16,r=8,p=1$salt$hash`.
fn scrypt(text: &str) -> Option<Form> {
    let [params, salt, digest] = fields(text.strip_prefix("$scrypt$")?)?;
    let (log_n, r, p) = Params::read(params)?.scrypt()?;
    let (salt, digest) = (decode(salt)?, decode(digest)?);
    let scheme = Scheme::Scrypt { log_n, r, p, length: digest.len() };
    Some(Form { scheme, salt, digest })
}

/// `scrypt$16384$salt$8$5$hash`: the salt is text.
fn django_scrypt(text: &str) -> Option<Form> {
    let [n, salt, r, p, digest] = fields(text.strip_prefix("scrypt$")?)?;
    let n: u64 = n.parse().ok().filter(|n: &u64| n.is_power_of_two())?;
    let digest = decode(digest)?;
    let (r, p, length) = (r.parse().ok()?, p.parse().ok()?, digest.len());
    Some(Form { scheme: Scheme::Scrypt { log_n: n.ilog2(), r, p, length }, salt: salt.into(), digest })
}

/// `$pbkdf2-sha256$i=600000,l=32$salt$hash`, or passlib's `$pbkdf2-sha256$29000$salt$hash`; without the
/// hash's name it is SHA-1.
fn pbkdf2(text: &str) -> Option<Form> {
    let [name, params, salt, digest] = fields(text.strip_prefix('$')?)?;
    let hash = match name {
        "pbkdf2" | "pbkdf2-sha1" => Hash::Sha1,
        "pbkdf2-sha256" => Hash::Sha256,
        "pbkdf2-sha512" => Hash::Sha512,
        _ => return None,
    };
    let rounds = match params.parse() {
        Ok(rounds) => rounds,
        Err(_) => Params::read(params)?.number("i")?,
    };
    let (salt, digest) = (decode(salt)?, decode(digest)?);
    Some(Form { scheme: Scheme::Pbkdf2 { hash, rounds, length: digest.len() }, salt, digest })
}

/// `pbkdf2_sha256$600000$salt$hash`: the salt is text.
fn django_pbkdf2(text: &str) -> Option<Form> {
    let [name, rounds, salt, digest] = fields(text)?;
    let hash = match name {
        "pbkdf2_sha1" => Hash::Sha1,
        "pbkdf2_sha256" => Hash::Sha256,
        _ => return None,
    };
    let digest = decode(digest)?;
    let scheme = Scheme::Pbkdf2 { hash, rounds: rounds.parse().ok()?, length: digest.len() };
    Some(Form { scheme, salt: salt.into(), digest })
}

/// `$fbscrypt$v=1,n=14,r=8,p=1,ss=separator,sk=signer key$salt$hash`: a row of an export together with
/// the project's parameters. The hash is the signer key XOR a key stream that the password decides, so
/// with the signer key taken out of it nothing but the password is needed to check it.
fn firebase(text: &str) -> Option<Form> {
    let [params, salt, digest] = fields(text.strip_prefix("$fbscrypt$")?)?;
    let params = Params::read(params)?;
    let key = decode(params.get("sk")?)?;
    let mut digest = decode(digest)?;
    if params.get("v") != Some("1") || params.get("p") != Some("1") || key.len() != 64 || digest.len() != 64 {
        return None;
    }
    digest.iter_mut().zip(&key).for_each(|(digest, key)| *digest ^= key);
    let mut salt = decode(salt)?;
    salt.extend(decode(params.get("ss")?)?);
    let scheme = Scheme::FirebaseScrypt { log_n: params.number("n")?, r: params.number("r")? };
    Some(Form { scheme, salt, digest })
}

/// `$P$` (WordPress before 6.8) or `$H$` (phpBB 3), a letter for the rounds, eight of salt, 22 of hash.
fn phpass(text: &str) -> Option<Form> {
    let rest = text.strip_prefix("$P$").or_else(|| text.strip_prefix("$H$"))?;
    let (rounds, rest) = rest.split_at_checked(1)?;
    let (salt, digest) = rest.split_at_checked(8)?;
    let log_rounds = phpass::value(*rounds.as_bytes().first()?)?;
    Some(Form { scheme: Scheme::Phpass { log_rounds }, salt: salt.into(), digest: phpass::decode(digest)? })
}

/// The header of a file encrypted by scrypt, as base64.
fn medusa(text: &str) -> Option<Form> {
    let scrypt_file::Header { log_n, r, p, salt, mac } = scrypt_file::Header::read(&decode(text)?)?;
    Some(Form { scheme: Scheme::ScryptFile { log_n, r, p }, salt, digest: mac })
}

/// Exactly so many fields with `$` between them.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_them_is_not_read() {
        let salt = "AQIDBAUGBwgJCgsMDQ4PEA";
        for text in [
            "",
            "plain text",
            "$",
            "$1$abcdefgh$VVNSkG.KxKmOVN6W8ewtD/",
            "$2x$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy",
            "$2b$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosg",
            "$2b$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosg\u{e9}",
            "$2b$99$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy",
            "$2b$03$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy",
            "$scrypt$ln=0,r=8,p=1$AQIDBAUGBwgJCgsMDQ4PEA$pGdD+5rZk34fko+wL96dOI7nohZBtL1H69zMidHvWbE",
            "$scrypt$ln=300,r=8,p=1$AQIDBAUGBwgJCgsMDQ4PEA$pGdD+5rZk34fko+wL96dOI7nohZBtL1H69zMidHvWbE",
            "scrypt$1000$djangosalt$8$1$qfHI2NKDYNv8uM8Vr1IcZO0ez5uNwbOdxLeSOzsE8Bc=",
            "pbkdf2_sha256$0$djangosalt$wlIXfyX4Eu15SmdG0R2Jq3VP2RSrcSdrXiwvgpfE4KQ=",
            "pbkdf2_md5$1000$djangosalt$wlIXfyX4Eu15SmdG0R2Jq3VP2RSrcSdrXiwvgpfE4KQ=",
            "$pbkdf2-sha256$i=1000$c2FsdA$",
            "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L",
            "$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
            "$argon2id$v=19$m=65536,t=2,p=1,keyid=djI$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$42xEC+ixf3L2lw==$AAAA",
            "c2NyeXB0AAoAAAAIAAAAAQ",
        ] {
            assert!(Form::read(text).is_none(), "{text}");
        }
        let long = format!("$pbkdf2-sha256$i=1000${}${salt}", "A".repeat(2_000));
        assert!(Form::read(&long).is_none());
    }

    #[test]
    fn absurd_parameters_are_read_and_dear() {
        for text in [
            "$2b$31$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy",
            "$scrypt$ln=30,r=8,p=1$AQIDBAUGBwgJCgsMDQ4PEA$pGdD+5rZk34fko+wL96dOI7nohZBtL1H69zMidHvWbE",
            "$pbkdf2-sha256$4000000000$AQIDBAUGBwgJCgsMDQ4PEA$RtlutTJ5dRitrtZxYWLd2Z3Wqtq36XJxqczu6ByiuOI",
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            let cost = Form::read(text).unwrap().scheme.cost();
            assert!(cost.micros > 5_000_000, "{text}: {cost:?}");
        }
    }
}
