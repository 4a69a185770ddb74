//! The API document: put together from the services' routers, served as JSON and as a page to
//! read and try it, with nothing loaded from elsewhere.

mod document;
mod pages;
mod refine;
mod responses;

pub use document::{Contradiction, Description, assemble, to_json};
pub use pages::routes;
#[doc(hidden)]
pub use responses::responses;
