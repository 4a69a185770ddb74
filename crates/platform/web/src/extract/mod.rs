//! What handlers take: each extractor reads one thing, refuses it with a problem that says where
//! it is wrong, and stands in the handler's signature so that nobody forgets it.

mod address;
mod checks;
mod idempotency_key;
mod json;
mod path;
mod pointer;
mod precondition;
mod query;
mod request_id;
mod scan;

pub use address::{ClientAddress, Network, NetworkError, TrustedProxies};
pub use checks::{Checks, Validate};
pub(crate) use idempotency_key::FIELD as IDEMPOTENCY_KEY;
pub use idempotency_key::IdempotencyKey;
pub use json::ValidJson;
pub(crate) use json::read_body;
pub use path::Id;
pub use precondition::{IfMatch, StaleVersion};
pub use query::{ListQuery, PageQuery, ValidQuery};
pub use request_id::RequestId;
