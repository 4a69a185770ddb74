//! What can be done to the engines.

use crate::shop::Engines;

/// An engine that fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// NATS is killed and started again with its streams.
    Nats,
    /// NATS is killed and comes back with nothing.
    NatsLost,
    /// Redis is killed and comes back with nothing.
    Redis,
    /// The S3 server is killed and started again.
    S3,
    /// The mail server is killed and started again.
    Mail,
    /// PostgreSQL's primary is killed and started again.
    PostgresCrash,
    /// PostgreSQL's primary is killed for good and its replica promoted.
    PostgresFailover,
}

impl Outage {
    pub const ALL: [Self; 7] = [
        Self::Nats,
        Self::NatsLost,
        Self::Redis,
        Self::S3,
        Self::Mail,
        Self::PostgresCrash,
        Self::PostgresFailover,
    ];

    /// Whether it belongs to the short form, in which every engine fails once.
    pub const fn is_essential(self) -> bool {
        !matches!(self, Self::NatsLost | Self::PostgresCrash)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Nats => "NATS is killed and restarted",
            Self::NatsLost => "NATS is killed and loses everything",
            Self::Redis => "Redis is killed and comes back empty",
            Self::S3 => "the S3 server is killed and restarted",
            Self::Mail => "the mail server is killed and restarted",
            Self::PostgresCrash => "PostgreSQL's primary is killed and restarted",
            Self::PostgresFailover => "PostgreSQL's primary is killed and its replica promoted",
        }
    }

    /// What readiness calls it.
    pub const fn check(self) -> &'static str {
        match self {
            Self::Nats | Self::NatsLost => "bus",
            Self::Redis => "cache",
            Self::S3 => "objects",
            Self::Mail => "mail",
            Self::PostgresCrash | Self::PostgresFailover => "database.orders",
        }
    }

    /// Whether a request of this kind needs the engine.
    pub fn may_refuse(self, kind: &str) -> bool {
        match self {
            Self::Nats | Self::NatsLost | Self::Redis | Self::Mail => false,
            Self::S3 => matches!(kind, "picture" | "upload"),
            // What only reads is answered by the replica.
            Self::PostgresCrash | Self::PostgresFailover => {
                !matches!(kind, "products" | "product" | "history" | "picture" | "upload")
            }
        }
    }

    /// Makes it fail, without warning.
    pub async fn begin(self, engines: &Engines) {
        match self {
            Self::Nats | Self::NatsLost => engines.nats.kill().await,
            Self::Redis => engines.redis.kill().await,
            Self::S3 => engines.s3().await.stop().await,
            Self::Mail => engines.smtp.stop().await,
            Self::PostgresCrash | Self::PostgresFailover => engines.postgres.kill().await,
        }
    }

    /// Brings it back.
    pub async fn end(self, engines: &Engines) {
        match self {
            Self::Nats => engines.nats.start_again().await,
            Self::NatsLost => engines.nats.start_empty().await,
            Self::Redis => engines.redis.start_empty().await,
            Self::S3 => engines.s3().await.start_again().await,
            Self::Mail => engines.smtp.start_again().await,
            Self::PostgresCrash => engines.postgres.start_again().await,
            Self::PostgresFailover => engines.postgres.promote_replica().await,
        }
    }

    /// Makes the stack as strong as it was before.
    pub async fn mend(self, engines: &Engines) {
        if self == Self::PostgresFailover {
            engines.postgres.rejoin().await;
        }
    }
}
