use std::path::PathBuf;

use kernel::Secret;
use serde::Deserialize;

use crate::{Address, Brand, MailError, Sender};

/// The `[mail]` section of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The name that recipients see.
    pub from_name: String,
    /// The address that mails come from. The default is one that nobody can answer.
    pub from_address: String,
    /// Where mails are written when no server is configured, relative to the data directory.
    pub folder: PathBuf,
    /// The server that mails are sent through.
    pub smtp: Option<SmtpConfig>,
    /// How mails look and who they speak for.
    pub brand: Brand,
    /// A folder, relative to the data directory, whose files take the place of built-in templates.
    pub templates: Option<PathBuf>,
}

/// The server that mails are sent through.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its host name; the certificate must be for it.
    pub host: String,
    /// Its port: 587 for STARTTLS, 465 for implicit TLS, when nothing is said.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection becomes confidential.
    #[serde(default)]
    pub encryption: Encryption,
    /// The user to sign in as; without one nobody signs in.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<Secret<String>>,
    /// A PEM file with the only authorities to trust; the system's are trusted without it.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The longest that sending one mail takes, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// The most connections at once.
    #[serde(default = "default_connections")]
    pub connections: u16,
}

/// How a connection to a mail server becomes confidential. TLS 1.2 is the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// By the STARTTLS command (RFC 3207); a server that does not offer it is not spoken to.
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all: only for a server on this machine's loopback.
    None,
}

fn default_timeout_ms() -> u64 {
    10_000
}

fn default_connections() -> u16 {
    4
}

impl SmtpConfig {
    /// A server with STARTTLS, no credentials, and defaults for the rest.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            encryption: Encryption::default(),
            username: None,
            password: None,
            ca_file: None,
            timeout_ms: default_timeout_ms(),
            connections: default_connections(),
        }
    }
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            from_name: "Souk".to_owned(),
            from_address: "no-reply@souk.example".to_owned(),
            folder: PathBuf::from("mail"),
            smtp: None,
            brand: Brand::default(),
            templates: None,
        }
    }
}

impl MailConfig {
    /// Who mails come from.
    ///
    /// # Errors
    /// [`MailError::Config`] when the address is none.
    pub fn sender(&self) -> Result<Sender, MailError> {
        let address: Address =
            self.from_address.parse().map_err(|error: crate::AddressError| MailError::Config {
                field: "from_address",
                reason: "not a mail address",
                source: Some(error.into()),
            })?;
        Ok(Sender { name: self.from_name.clone(), address })
    }
}
