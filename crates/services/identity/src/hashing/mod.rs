//! Password hashing: Argon2id with a pepper, on threads of its own with a bounded queue and a
//! bounded memory. A hash costs some 25 milliseconds, so a flood of sign-ins must end in refusals
//! and not in a program that answers nobody. Hashes from elsewhere are checked in the same place and
//! within the same bounds.

mod argon;
mod foreign;
mod hasher;
mod pool;
mod room;

pub(crate) use hasher::{Against, Hasher, Overloaded, Unusable};
