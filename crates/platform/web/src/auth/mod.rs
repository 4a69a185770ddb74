//! Who is asking: access tokens, ended sessions, and the extractors that endpoints name their
//! callers with.

mod caller;
mod claims;
mod internal;
mod layer;
pub(crate) mod position;
mod revocations;
mod verifier;

pub use caller::{Caller, Customer, Role, Seller, Staff};
pub use claims::{Claims, Kind, TOKEN_TYPE};
pub use internal::{INTERNAL_TOKEN, Internal, InternalTokens, internal_layer};
pub use layer::layer;
pub use revocations::Revocations;
pub use verifier::{TokenError, Verifier, VerifierOptions};
