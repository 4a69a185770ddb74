//! The vault on real databases, opened by several processes' worth of handles.

#![allow(clippy::unwrap_used, clippy::panic)]

mod nodes;
mod people;
mod rotation;
mod signing;
mod start;
mod support;
