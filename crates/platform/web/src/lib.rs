#![doc = include_str!("../README.md")]

pub mod auth;
pub mod channel;
pub mod code;
mod context;
mod extract;
mod idempotent;
pub mod middleware;
mod once_key;
pub mod openapi;
mod problem;
mod rate_limit;
mod respond;

pub use auth::{Caller, Customer, Internal, Role, Seller, Staff};
pub use code::{Code, Codes};
pub use context::RequestContext;
pub use extract::{
    Checks, ClientAddress, Id, IdempotencyKey, IfMatch, ListQuery, Network, NetworkError, PageQuery,
    RequestId, StaleVersion, TrustedProxies, ValidJson, ValidQuery, Validate,
};
pub use idempotent::{Idempotent, NoBody, Once, REPLAYED};
pub use problem::{Handled, Problem};
pub use rate_limit::{rate_limited, write_rate_limit};
pub use respond::{Created, NoContent, Paged, Versioned};

/// Implementation details of the macros; not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use utoipa;
}
