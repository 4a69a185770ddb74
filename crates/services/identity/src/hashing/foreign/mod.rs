//! Hashes that people bring with them from elsewhere, for as long as nobody has signed in with them.
//!
//! At import a hash is read in the form its system writes ([`forms`]) and kept in one form of our own:
//! parameters and salt as they were, and in the place of the digest its HMAC under the pepper. So a
//! copied database is of no use for guessing, however weak the old hash was.

mod forms;
mod phpass;
mod scheme;
mod scrypt_file;

use kernel::Secret;
use subtle::ConstantTimeEq as _;

pub(super) use forms::Form;
pub(super) use scheme::{Cost, Scheme, Uncomputable};

use super::argon::{Memory, PEPPER_ID};
use crate::model::mac::keyed;

/// What a form of ours begins with. No other system's does.
const PREFIX: &str = "$imported-";

/// A hash from elsewhere with which a password can be checked.
#[derive(Clone)]
pub(super) struct Foreign {
    scheme: Scheme,
    salt: Vec<u8>,
    /// The HMAC-SHA256 of the digest under the pepper.
    tag: Vec<u8>,
}

impl Foreign {
    /// Keeps what was read of a hash, with the digest put under the pepper.
    pub(super) fn adopt(form: Form, pepper: &Secret<[u8; 32]>) -> Self {
        let tag = tag(pepper, &form.digest);
        Self { scheme: form.scheme, salt: form.salt, tag }
    }

    /// Reads what [`Foreign::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('$');
        let (name, params, salt, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let params = forms::Params::read(params)?;
        if parts.next().is_some() || params.get("keyid")? != forms::encode(PEPPER_ID) {
            return None;
        }
        let scheme = Scheme::read(name, &params)?;
        Some(Self { scheme, salt: forms::decode(salt)?, tag: forms::decode(tag)? })
    }

    /// The text that is stored.
    pub(super) fn to_text(&self) -> String {
        format!(
            "{PREFIX}{}${},keyid={}${}${}",
            self.scheme.name(),
            self.scheme.params(),
            forms::encode(PEPPER_ID),
            forms::encode(&self.salt),
            forms::encode(&self.tag),
        )
    }

    /// What checking a password against it costs.
    pub(super) fn cost(&self) -> Cost {
        self.scheme.cost()
    }

    /// Whether `password`, as it was typed, is the one that this was made of.
    pub(super) fn verify(
        &self,
        memory: &mut Memory,
        password: &str,
        pepper: &Secret<[u8; 32]>,
    ) -> Result<bool, Uncomputable> {
        let digest = self.scheme.digest(password.as_bytes(), &self.salt, memory)?;
        Ok(tag(pepper, &digest).ct_eq(&self.tag).into())
    }
}

fn tag(pepper: &Secret<[u8; 32]>, digest: &[u8]) -> Vec<u8> {
    use hmac::Mac as _;
    let mut mac = keyed(pepper);
    // The pepper is a key of Argon2 as well: what is made for one use is of none for the other.
    mac.update(b"identity.imported_hash\0");
    mac.update(digest);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `tests/vectors/make.py` with other people's code, and from the standards.
    const VECTORS: &str = include_str!("../../../tests/vectors/hashes.tsv");

    fn pepper(byte: u8) -> Secret<[u8; 32]> {
        Secret::new([byte; 32])
    }

    #[test]
    fn hashes_of_other_systems_are_verified_and_kept_under_the_pepper() {
        let mut memory = Memory::default();
        let mut seen = 0;
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let [name, password, text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let form = Form::read(text).unwrap_or_else(|| panic!("{name}: {text} is not read"));
            let adopted = Foreign::adopt(form, &pepper(7)).to_text();
            let ours = Foreign::parse(&adopted).unwrap_or_else(|| panic!("{name}: {adopted} is not read"));
            assert_eq!(ours.to_text(), adopted, "{name}");
            assert!(ours.verify(&mut memory, password, &pepper(7)).unwrap(), "{name}: {adopted}");
            let longer = ours.verify(&mut memory, &format!("{password}?"), &pepper(7)).unwrap();
            assert_eq!(longer, name == "bcrypt 72 bytes", "{name}: another password");
            assert!(!ours.verify(&mut memory, password, &pepper(8)).unwrap(), "{name}: without the pepper");
            let digest = text.rsplit('$').next().unwrap();
            assert!(!adopted.contains(digest), "{name}: the digest itself is not kept");
            seen += 1;
        }
        assert!(seen > 25, "{seen}");
    }

    #[test]
    fn beyond_seventy_two_bytes_bcrypt_does_not_look() {
        let line = VECTORS.lines().find(|line| line.starts_with("bcrypt 72 bytes")).unwrap();
        let [_, password, text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let ours = Foreign::adopt(Form::read(text).unwrap(), &pepper(7));
        let mut memory = Memory::default();
        assert!(password.len() > 72);
        assert!(ours.verify(&mut memory, &password[..72], &pepper(7)).unwrap());
        assert!(!ours.verify(&mut memory, &password[..71], &pepper(7)).unwrap());
    }

    #[test]
    fn what_is_stored_is_read_strictly() {
        for text in [
            "",
            "$imported-",
            "$imported-bcrypt$c=5,keyid=djE$AAAAAAAAAAAAAAAAAAAAAA",
            "$imported-bcrypt$c=5,keyid=djI$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$imported-bcrypt$c=5$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$imported-bcrypt$c=5,keyid=djE$AAAAAAAAAAAAAAAAAAAAAA$AAAA$",
            "$imported-rot13$c=5,keyid=djE$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$2b$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy",
        ] {
            assert!(Foreign::parse(text).is_none(), "{text}");
        }
    }
}
