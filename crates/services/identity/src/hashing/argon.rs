use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, KeyId, Params, ParamsBuilder, Version};
use kernel::Secret;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The memory of one hash. Each thread keeps its own, so that hashing does not wait for the
/// operating system to hand out twenty megabytes every time.
#[derive(Default)]
pub(in crate::hashing) struct Memory(Vec<Block>);

impl Memory {
    pub(in crate::hashing) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }

    /// Gives back what goes beyond `count` blocks, after a hash with larger parameters than ours.
    pub(super) fn shrink(&mut self, count: usize) {
        if self.0.len() > count {
            self.0.truncate(count);
            self.0.shrink_to_fit();
        }
    }
}

/// How new passwords are hashed, and what old ones are checked with.
#[derive(Clone)]
pub(super) struct Recipe {
    params: Params,
    pepper: Secret<[u8; 32]>,
}

/// Names the pepper in the PHC string (its `keyid`), so that there may be another one day.
pub(in crate::hashing) const PEPPER_ID: &[u8] = b"v1";

const HASH_BYTES: usize = 32;

impl Recipe {
    /// # Errors
    /// When Argon2 cannot work with these parameters.
    pub(super) fn new(
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        pepper: Secret<[u8; 32]>,
    ) -> Result<Self, argon2::Error> {
        let mut builder = ParamsBuilder::new();
        builder.m_cost(memory_kib).t_cost(passes).p_cost(lanes).output_len(HASH_BYTES);
        let params = builder.keyid(KeyId::new(PEPPER_ID)?).build()?;
        Ok(Self { params, pepper })
    }

    /// Hashes `password` with `salt`; the answer is a PHC string.
    pub(super) fn hash(
        &self,
        memory: &mut Memory,
        password: &str,
        salt: [u8; 16],
    ) -> Result<String, argon2::Error> {
        let mut out = Zeroizing::new([0; HASH_BYTES]);
        Argon2::new_with_secret(
            self.pepper.expose(),
            Algorithm::Argon2id,
            Version::V0x13,
            self.params.clone(),
        )?
        .hash_password_into_with_memory(
            password.as_bytes(),
            &salt,
            out.as_mut_slice(),
            memory.blocks(self.params.block_count()),
        )?;
        let phc = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(|_| argon2::Error::AlgorithmInvalid)?,
            salt: Some(Salt::new(&salt).map_err(|_| argon2::Error::SaltTooShort)?),
            hash: Some(Output::new(out.as_slice()).map_err(|_| argon2::Error::OutputTooShort)?),
        };
        Ok(phc.to_string())
    }

    /// Under which hashes are kept.
    pub(super) fn pepper(&self) -> &Secret<[u8; 32]> {
        &self.pepper
    }

    /// The blocks of memory that one hash takes.
    pub(super) fn block_count(&self) -> usize {
        self.params.block_count()
    }

    /// Whether `password` is the one that `stored` was made of.
    pub(super) fn verify(
        &self,
        memory: &mut Memory,
        password: &str,
        stored: &Stored,
    ) -> Result<bool, argon2::Error> {
        let (algorithm, version) = (stored.algorithm, stored.version);
        let argon2 =
            Argon2::new_with_secret(self.pepper.expose(), algorithm, version, stored.params.clone())?;
        let mut out = Zeroizing::new(vec![0; stored.hash.len()]);
        argon2.hash_password_into_with_memory(
            password.as_bytes(),
            &stored.salt,
            &mut out,
            memory.blocks(stored.params.block_count()),
        )?;
        Ok(out.ct_eq(&stored.hash).into())
    }

    /// Whether `stored` was made otherwise than a new hash would be.
    pub(super) fn outdated(&self, stored: &Stored) -> bool {
        stored.algorithm != Algorithm::Argon2id
            || stored.version != Version::V0x13
            || stored.params != self.params
    }
}

/// A hash of ours, read from its PHC string. Its parameters may be those of earlier days.
#[derive(Clone)]
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    /// Reads the PHC string of a hash that was made under our pepper; `None` for any other.
    pub(super) fn parse(phc: &str) -> Option<Self> {
        let parsed = PasswordHash::new(phc).ok()?;
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version = parsed.version.map_or(Some(Version::V0x10), |version| version.try_into().ok())?;
        let params = Params::try_from(&parsed).ok()?;
        let (salt, hash) = (parsed.salt?.to_vec(), parsed.hash?.as_bytes().to_vec());
        (params.keyid() == PEPPER_ID).then_some(Self { algorithm, version, params, salt, hash })
    }

    /// Its memory in KiB.
    pub(super) fn memory_kib(&self) -> u64 {
        self.params.m_cost().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(passes: u32) -> Recipe {
        Recipe::new(64, passes, 1, Secret::new([7; 32])).unwrap()
    }

    fn stored(phc: &str) -> Stored {
        Stored::parse(phc).unwrap()
    }

    #[test]
    fn hashes_name_their_parameters_and_pepper_and_need_it() {
        let mut memory = Memory::default();
        let phc = recipe(2).hash(&mut memory, "correct horse", [1; 16]).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1,keyid=djE$"), "{phc}");
        assert!(recipe(2).verify(&mut memory, "correct horse", &stored(&phc)).unwrap());
        assert!(!recipe(2).verify(&mut memory, "wrong horse", &stored(&phc)).unwrap());
        let without = Recipe::new(64, 2, 1, Secret::new([8; 32])).unwrap();
        assert!(!without.verify(&mut memory, "correct horse", &stored(&phc)).unwrap());
        assert!(!recipe(2).outdated(&stored(&phc)));
        assert!(recipe(3).outdated(&stored(&phc)));
        assert!(recipe(3).verify(&mut memory, "correct horse", &stored(&phc)).unwrap());
    }

    #[test]
    fn hashes_that_are_not_ours_are_left_to_others() {
        for phc in [
            "",
            "plain text",
            "$2b$12$abcdefghijklmnopqrstuu5Ly3mX6nX6nX6nX6nX6nX6nX6nX6nX6",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=2,p=1,keyid=djI$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=2,p=1,keyid=djE$c29tZXNhbHQ",
        ] {
            assert!(Stored::parse(phc).is_none(), "{phc}");
        }
    }
}
