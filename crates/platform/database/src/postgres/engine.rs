use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::Timestamp;

use super::migrate::migrate;
use super::pool::Pool;
use super::replica::Replica;
use super::session::Session;
use crate::config::PostgresConfig;
use crate::consistency::{self, Recent};
use crate::error::Error;
use crate::migrate::Migration;
use crate::row::Row;
use crate::signals::{Signals, Touched};
use crate::transaction::Isolation;
use crate::value::Value;

/// For how long a starting copy waits while another one migrates, and for how long a migration may run.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(600);

/// One service's schema on a primary, and maybe a replica of it.
pub(crate) struct Engine {
    schema: &'static str,
    primary: Arc<Pool>,
    replica: Option<Replica>,
    recent: Recent,
    signals: Arc<Signals>,
    commits: AtomicU64,
    pub(crate) retries: u32,
}

impl Engine {
    pub(crate) fn open(
        config: &PostgresConfig,
        schema: &'static str,
        signals: Arc<Signals>,
    ) -> Result<Arc<Self>, Error> {
        let primary = Pool::primary(config, schema)?;
        let replica = match &config.replica_url {
            Some(url) => Some(Replica::new(Pool::replica(config, url, schema)?)),
            None => None,
        };
        Ok(Arc::new(Self {
            schema,
            primary,
            replica,
            recent: Recent::default(),
            signals,
            commits: AtomicU64::new(0),
            retries: config.retries,
        }))
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) async fn migrate(
        &self,
        set: &'static str,
        migrations: &[Migration],
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut session = Session::writing(&self.primary, Isolation::ReadCommitted).await?;
        session.take_time(MIGRATION_PATIENCE).await?;
        migrate(&mut session, self.schema, set, migrations, now).await?;
        session.commit(false).await.map(|_| ())
    }

    /// A session that shows at least what the present caller wrote; on a replica if that has come far enough.
    pub(crate) async fn read(self: &Arc<Self>) -> Result<ReadSession, Error> {
        if let Some(replica) = &self.replica
            && let Some(session) = replica.session(self.recent.required(self.schema)).await
        {
            return Ok(ReadSession { session: Some(session), engine: self.clone(), on_replica: true });
        }
        self.read_primary().await
    }

    pub(crate) async fn read_primary(self: &Arc<Self>) -> Result<ReadSession, Error> {
        let session = Session::reading(&self.primary).await?;
        Ok(ReadSession { session: Some(session), engine: self.clone(), on_replica: false })
    }

    pub(crate) async fn begin(self: &Arc<Self>, isolation: Isolation) -> Result<WriteSession, Error> {
        Ok(WriteSession { session: Session::writing(&self.primary, isolation).await?, engine: self.clone() })
    }
}

/// A session that reads.
pub(crate) struct ReadSession {
    /// None only while it is being replaced.
    session: Option<Session>,
    engine: Arc<Engine>,
    on_replica: bool,
}

impl ReadSession {
    /// Runs a query and shows each row to `each` until it says `false`. A failure that passes is not shown as
    /// long as no row was: the query runs once more, on the primary.
    pub(crate) async fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        row: &mut Row,
        each: &mut (dyn FnMut(&Row) -> Result<bool, Error> + Send),
    ) -> Result<(), Error> {
        let Some(session) = &mut self.session else { return Err(Error::Aborted) };
        let mut shown = false;
        let mut watched = |row: &Row| {
            shown = true;
            each(row)
        };
        let error = match session.query(sql, params, row, &mut watched).await {
            Err(error) if !shown => error,
            result => return result,
        };
        let session = match (&error, &self.engine.replica) {
            // A replica may end a query that is in the way of what it has to replay, or be gone.
            (Error::Unavailable { .. } | Error::Retry { .. }, Some(replica)) if self.on_replica => {
                replica.rest(&error);
                self.replace().await?
            }
            (Error::Unavailable { .. }, _) if session.is_lost() => self.replace().await?,
            // A migration has changed what the prepared statement returns; it has been forgotten.
            (Error::Retry { .. }, _) => session,
            _ => return Err(error),
        };
        session.query(sql, params, row, each).await
    }

    /// Gives the session back and takes a new one on the primary.
    async fn replace(&mut self) -> Result<&mut Session, Error> {
        self.session = None;
        self.on_replica = false;
        Ok(self.session.insert(Session::reading(&self.engine.primary).await?))
    }
}

/// A session with an open transaction.
pub(crate) struct WriteSession {
    session: Session,
    engine: Arc<Engine>,
}

impl WriteSession {
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The schema that it works in.
    pub(crate) fn schema(&self) -> &'static str {
        self.engine.schema
    }

    pub(crate) async fn commit(self, touched: Touched) -> Result<(), Error> {
        let engine = self.engine;
        let locate = engine.replica.is_some() && consistency::in_scope();
        let position = self.session.commit(locate).await?;
        if let Some(position) = position {
            engine.recent.wrote(engine.schema, position);
        }
        engine.commits.fetch_add(1, Ordering::Relaxed);
        engine.signals.committed(touched);
        Ok(())
    }

    pub(crate) async fn rollback(self) {
        self.session.rollback().await;
    }
}
