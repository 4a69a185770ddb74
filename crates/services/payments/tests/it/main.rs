//! Journeys over HTTP on the service's own routes, with the sandbox behind it and its notifications
//! coming in by `/webhooks/sandbox`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod cards;
mod challenge;
mod commands;
mod document;
mod erasure;
mod export;
mod recovery;
mod refunds;
mod shop;
mod tokens;
mod webhooks;
