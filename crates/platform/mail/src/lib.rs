#![doc = include_str!("../README.md")]

mod address;
mod config;
mod error;
mod folder;
pub mod mailbox;
mod mailer;
mod message;
mod smtp;
mod templates;

pub use address::{Address, AddressError};
pub use config::{Encryption, MailConfig, SmtpConfig};
pub use error::MailError;
pub use mailer::Mailer;
pub use message::{Message, Sender};
pub use templates::{Brand, Rendered, Templates};
