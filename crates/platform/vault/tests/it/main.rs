//! The vault on real databases.

mod people;
mod support;
