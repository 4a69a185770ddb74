//! What the service does.

mod collect;
mod seal;

pub(crate) use collect::collect;
pub(crate) use seal::{PERSONAL, seal_personal};
