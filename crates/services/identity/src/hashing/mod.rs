//! Password hashing: Argon2id with a pepper, on threads of its own with a bounded queue and a
//! bounded memory. A hash costs some 25 milliseconds, so a flood of sign-ins must end in refusals
//! and not in a program that answers nobody.

mod argon;
mod hasher;
mod pool;

pub(crate) use hasher::{Hasher, Overloaded};
