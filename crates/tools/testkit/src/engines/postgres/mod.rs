//! PostgreSQL.

mod cluster;
mod node;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use self::cluster::Cluster;
use super::blocking;

/// What stands beside the primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replica {
    /// Nothing.
    #[default]
    None,
    /// A replica that follows as fast as it can; a promotion may lose the last commits.
    Streaming,
    /// A replica that every commit waits for, so that a promotion loses nothing. It may still show a commit
    /// later than the primary does.
    Synchronous,
}

/// How a cluster behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresOptions {
    /// Whether commits wait for the disk. Off, tests are faster, and still survive the end of the server's
    /// process; only a power cut could tell the difference.
    pub fsync: bool,
    /// What stands beside the primary.
    pub replica: Replica,
}

/// A PostgreSQL cluster: a primary, and a replica on request.
pub struct Postgres {
    cluster: Arc<Cluster>,
}

impl Postgres {
    /// Starts a primary of one's own. Prefer [`Postgres::shared`] when no test stops the server.
    pub async fn start() -> Self {
        Self::start_with(PostgresOptions::default()).await
    }

    /// Starts a primary with a streaming replica.
    pub async fn start_with_replica() -> Self {
        Self::start_with(PostgresOptions { replica: Replica::Streaming, ..PostgresOptions::default() }).await
    }

    /// Starts a cluster that behaves as `options` say.
    pub async fn start_with(options: PostgresOptions) -> Self {
        Self { cluster: Arc::new(blocking(move || Cluster::start(options)).await) }
    }

    /// The test process's own primary, started by whoever asks first. Use a database of your own.
    pub async fn shared() -> &'static Self {
        static SHARED: tokio::sync::OnceCell<Postgres> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// The primary's database `postgres`: `postgres://souk:souk@127.0.0.1:port/postgres`, a superuser.
    pub fn url(&self) -> String {
        self.cluster.primary().url("postgres")
    }

    /// The replica's database `postgres`. Fails the test when the cluster has no replica.
    pub fn replica_url(&self) -> String {
        self.cluster.replica().url("postgres")
    }

    /// The address on the replica of a database whose address on the primary is `url`.
    pub fn on_replica(&self, url: &str) -> String {
        let database = url.rsplit('/').next().unwrap_or_default();
        self.cluster.replica().url(database)
    }

    /// The address of a database, given its address on the primary, on whichever of both servers takes writes.
    pub fn on_both(&self, url: &str) -> String {
        let (start, database) = url.rsplit_once('/').unwrap_or_default();
        let replica = self.cluster.replica().url(database);
        let (_, replica) = replica.rsplit_once('@').unwrap_or_default();
        format!("{start},{replica}")
    }

    /// Makes an empty database and returns its address on the primary. A number is added to `name`, so no
    /// two calls share a database.
    pub async fn create_database(&self, name: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let database = format!("{name}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = self.cluster.primary().url(&database);
        self.with(move |cluster| cluster.primary().execute(&format!("CREATE DATABASE \"{database}\""))).await;
        url
    }

    /// Stops the primary: running transactions end, connections close, the data stays.
    pub async fn stop(&self) {
        self.with(|cluster| cluster.primary().stop()).await;
    }

    /// Ends the primary at once, as a crash would: nothing is finished, connections break.
    pub async fn kill(&self) {
        self.with(|cluster| cluster.primary().kill()).await;
    }

    /// Starts the stopped primary again, at the same address with the same data.
    pub async fn start_again(&self) {
        self.with(|cluster| cluster.primary().start()).await;
    }

    /// Stops the primary and starts it again.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Makes a primary of the replica and waits until it takes writes. The old primary should be stopped. From now on
    /// the promoted server is "the primary" here, and the other one the replica.
    pub async fn promote_replica(&self) {
        self.with(|cluster| cluster.promote()).await;
    }

    /// Brings the stopped server that was the primary before a promotion back as a replica of the present one.
    pub async fn rejoin(&self) {
        self.with(|cluster| cluster.rejoin()).await;
    }

    /// Stops the replica. Its data stays.
    pub async fn stop_replica(&self) {
        self.with(|cluster| cluster.replica().stop()).await;
    }

    /// Starts the stopped replica again.
    pub async fn start_replica_again(&self) {
        self.with(|cluster| cluster.replica().start()).await;
    }

    /// Keeps the replica from showing new commits, until [`Postgres::resume_replica`].
    pub async fn pause_replica(&self) {
        self.with(|cluster| cluster.pause_replica()).await;
    }

    /// Lets the replica show new commits again.
    pub async fn resume_replica(&self) {
        self.with(|cluster| cluster.replica().execute("SELECT pg_wal_replay_resume()")).await;
    }

    /// Waits until the replica shows all that the primary has committed before.
    pub async fn replica_caught_up(&self) {
        self.with(|cluster| cluster.wait_for_replica()).await;
    }

    async fn with(&self, work: impl FnOnce(&Cluster) + Send + 'static) {
        let cluster = Arc::clone(&self.cluster);
        blocking(move || work(&cluster)).await;
    }
}
