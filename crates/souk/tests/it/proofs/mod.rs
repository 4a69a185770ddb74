//! What is done to a running shop to find out whether it holds.
//!
//! `cargo xtask ci` runs every proof in a short form; `cargo xtask prove` runs them in full and writes
//! what they record to docs/reliability.md.

mod audit;
mod buyers;
mod cards;
mod crash;
mod engines;
mod races;
mod record;
mod refusals;
