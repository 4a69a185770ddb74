use kernel::{Fail, FailureKind};

/// What can go wrong with carrying events.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The database of a source or a consumer failed.
    #[error("the database behind the bus failed")]
    Database(#[from] database::Error),
    /// NATS cannot be reached, or refused what was asked of it.
    #[error("NATS failed: {detail}")]
    Nats {
        /// What it or its client said.
        detail: String,
    },
    /// A reaction wants events of a service that this process has no way to.
    #[error("no service named {service:?} writes events here")]
    UnknownSource {
        /// The name.
        service: String,
    },
    /// An event in the log cannot be read.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where in the log.
        position: i64,
    },
    /// A task of the bus ended on its own.
    #[error("a task of the bus stopped: {detail}")]
    Stopped {
        /// How.
        detail: String,
    },
}

impl BusError {
    pub(crate) fn nats(error: impl std::fmt::Display) -> Self {
        Self::Nats { detail: error.to_string() }
    }
}

impl Fail for BusError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Database(error) => error.kind(),
            Self::Nats { .. } => FailureKind::Unavailable,
            Self::UnknownSource { .. } | Self::Unreadable { .. } | Self::Stopped { .. } => {
                FailureKind::Internal
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Database(error) => error.code(),
            Self::Nats { .. } => "bus.unavailable",
            Self::UnknownSource { .. } | Self::Unreadable { .. } | Self::Stopped { .. } => "internal",
        }
    }
}
