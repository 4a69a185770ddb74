//! What is done to a running shop to find out whether it holds.
//!
//! `cargo xtask ci` runs every proof in a short form; `cargo xtask prove` runs them in full and writes
//! what they record to docs/reliability.md.

mod access;
mod audit;
mod buyers;
mod cards;
mod crash;
mod crowd;
mod engines;
mod odd_input;
mod operations;
mod races;
mod record;
mod refusals;
mod schemathesis;
mod simulation;
