use std::time::Duration;

use kernel::{Fail, FailureKind};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a mail could not be made or sent. Only [`MailError::Refused`] and [`MailError::Invalid`]
/// are final: a job that sends gives up on these and tries again on the others.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The message itself breaks a limit or would forge a header.
    #[error("the mail's {field} is not allowed: {reason}")]
    Invalid {
        /// The field of the message.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server refuses this recipient or this message for good.
    #[error("the mail server refuses the mail for good (SMTP {code})")]
    Refused {
        /// The reply code of RFC 5321, 500 to 599.
        code: u16,
        /// What the server said.
        #[source]
        source: Source,
    },
    /// The server is away, or takes no mail at all now.
    #[error("the mail server cannot be reached")]
    Unavailable(#[source] Source),
    /// The server will take this mail later, say because the recipient's box is full.
    #[error("the mail server cannot take the mail now (SMTP {code})")]
    Deferred {
        /// The reply code of RFC 5321, 400 to 499.
        code: u16,
        /// What the server said.
        #[source]
        source: Source,
    },
    /// The server did not answer in time; whether the mail went out is unknown.
    #[error("the mail server did not answer within {timeout_ms} ms")]
    Timeout {
        /// The time-out that ran out.
        timeout_ms: u64,
    },
    /// The server does not let us in: user name, password or rights are wrong.
    #[error("the mail server refuses our credentials (SMTP {code})")]
    Credentials {
        /// The reply code.
        code: u16,
        /// What the server said.
        #[source]
        source: Source,
    },
    /// The connection cannot be made confidential, most often because the certificate is not trusted.
    #[error("no trusted TLS connection to the mail server")]
    Untrusted(#[source] Source),
    /// The configuration of mail is not sound.
    #[error("mail.{field} is not usable: {reason}")]
    Config {
        /// The field of the section.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
        /// What went wrong below, if anything did.
        #[source]
        source: Option<Source>,
    },
    /// The folder of mails cannot be read or written.
    #[error("the mail folder cannot be used")]
    Folder(#[source] std::io::Error),
    /// A template is missing, malformed, or names a value that was not given.
    #[error("the mail template {name} cannot be used")]
    Template {
        /// The template.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Source,
    },
    /// There is no such mail in the folder.
    #[error("no such mail")]
    NotFound,
}

impl MailError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Invalid { .. } | Self::Refused { .. } | Self::Template { .. } | Self::NotFound)
    }

    /// Whether no mail can be sent now, so that trying another one is useless until that is over.
    pub fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Timeout { .. }
                | Self::Credentials { .. }
                | Self::Untrusted(_)
                | Self::Folder(_)
        )
    }
}

impl Fail for MailError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Invalid { .. } => FailureKind::Invalid,
            Self::Refused { .. } => FailureKind::Unprocessable,
            Self::Unavailable(_)
            | Self::Deferred { .. }
            | Self::Credentials { .. }
            | Self::Untrusted(_)
            | Self::Folder(_) => FailureKind::Unavailable,
            Self::Timeout { .. } => FailureKind::Timeout,
            Self::Config { .. } | Self::Template { .. } => FailureKind::Internal,
            Self::NotFound => FailureKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "mail.invalid",
            Self::Refused { .. } => "mail.refused",
            Self::Unavailable(_)
            | Self::Deferred { .. }
            | Self::Credentials { .. }
            | Self::Untrusted(_)
            | Self::Folder(_) => "mail.unavailable",
            Self::Timeout { .. } => "mail.timeout",
            Self::Config { .. } | Self::Template { .. } => "mail.internal",
            Self::NotFound => "mail.not_found",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        const RETRY: Duration = Duration::from_secs(60);
        (self.kind() == FailureKind::Unavailable).then_some(RETRY)
    }
}
