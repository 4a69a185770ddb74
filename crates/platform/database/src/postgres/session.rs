use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use futures_util::TryStreamExt as _;
use tokio_postgres::{RowStream, SimpleQueryMessage, Statement};

use super::decode::fill;
use super::encode::natural_type;
use super::errors::{classify, is_stale_plan};
use super::pool::{Pool, Settings};
use crate::error::Error;
use crate::row::Row;
use crate::transaction::Isolation;
use crate::value::Value;

/// A connection on loan, with or without a transaction. Dropping it gives the connection back if it is known to
/// be clean, and closes it otherwise.
pub(crate) struct Session {
    pool: Arc<Pool>,
    connection: Option<Object>,
    /// A statement was sent and its answer has not been read to the end.
    in_flight: bool,
    /// The server closed the connection, or is about to.
    lost: bool,
    /// A commit was sent.
    committing: bool,
    /// When the transaction was opened, if one is open.
    opened: Option<Instant>,
    /// For how long a transaction may stay open.
    tx_timeout: Duration,
    /// For how long to wait for an answer.
    patience: Duration,
}

impl Session {
    /// A session for single statements.
    pub(super) async fn reading(pool: &Arc<Pool>) -> Result<Self, Error> {
        let connection = pool.connection().await?;
        let mut session = Self::on(pool, connection);
        if pool.settings.transaction_pooling {
            session.open("BEGIN READ ONLY").await?;
        }
        Ok(session)
    }

    fn on(pool: &Arc<Pool>, connection: Object) -> Self {
        Self {
            pool: pool.clone(),
            connection: Some(connection),
            in_flight: false,
            lost: false,
            committing: false,
            opened: None,
            tx_timeout: pool.settings.tx_timeout,
            patience: pool.settings.patience(),
        }
    }

    /// Lets the open transaction and its statements take as long as `patience`.
    pub(super) async fn take_time(&mut self, patience: Duration) -> Result<(), Error> {
        (self.tx_timeout, self.patience) = (patience, patience);
        self.simple("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            .await
            .map(|_| ())
    }

    /// A session with an open transaction.
    pub(super) async fn writing(pool: &Arc<Pool>, isolation: Isolation) -> Result<Self, Error> {
        let begin = match isolation {
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        let mut spare = pool.size;
        loop {
            let mut session = Self::on(pool, pool.connection().await?);
            match session.open(begin).await {
                Ok(()) => return Ok(session),
                // After a restart of the server every connection of the pool may be dead.
                Err(Error::Unavailable { .. }) if spare > 0 && session.is_lost() => spare -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the server closed the connection, as opposed to not answering in time.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    async fn open(&mut self, begin: &str) -> Result<(), Error> {
        let settings = self.pool.settings;
        let begin = if settings.transaction_pooling {
            format!(
                "{begin}; SET LOCAL search_path = {}; SET LOCAL statement_timeout = {}; \
                 SET LOCAL idle_in_transaction_session_timeout = {}",
                self.pool.schema,
                settings.statement_timeout.as_millis(),
                settings.tx_timeout.as_millis(),
            )
        } else {
            begin.to_owned()
        };
        self.opened = Some(Instant::now());
        self.simple(&begin).await.map(|_| ())
    }

    /// Runs a statement and returns how many rows changed or were returned.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let mut rows = 0;
        let changed = self.run(sql, params, |_| {
            rows += 1;
            Ok(true)
        });
        Ok(changed.await?.unwrap_or(rows))
    }

    /// Runs a query and shows each row to `each` until it says `false`.
    pub(crate) async fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        row: &mut Row,
        each: &mut (dyn FnMut(&Row) -> Result<bool, Error> + Send),
    ) -> Result<(), Error> {
        let mut named = false;
        self.run(sql, params, |found| {
            if !named {
                row.set_columns(found.columns().iter().map(tokio_postgres::Column::name));
                named = true;
            }
            fill(row, found)?;
            each(row)
        })
        .await
        .map(|_| ())
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(&tokio_postgres::Row) -> Result<bool, Error>,
    ) -> Result<Option<u64>, Error> {
        let (settings, patience) = (self.pool.settings, self.patience);
        let connection = self.ready()?;
        let answer = tokio::time::timeout(patience, async {
            let rows = send(connection, sql, params, &settings).await?;
            let mut rows = std::pin::pin!(rows);
            // A caller that has seen enough does not end the answer: the rest is read and dropped, so that the
            // connection is clean afterwards.
            let mut outcome = Ok(true);
            while let Some(row) = rows.try_next().await? {
                if matches!(outcome, Ok(true)) {
                    outcome = each(&row);
                }
            }
            Ok((rows.rows_affected(), outcome))
        })
        .await;
        self.finish(answer)?.and_then(|(changed, outcome)| outcome.map(|_| changed))
    }

    /// Commits. With `locate`, returns up to where the server's log then reached.
    pub(crate) async fn commit(mut self, locate: bool) -> Result<Option<u64>, Error> {
        if self.in_flight {
            // A statement was abandoned halfway, so nobody knows what the transaction holds.
            return Err(Error::Aborted);
        }
        // The insert position covers this commit whatever `synchronous_commit` is.
        let sql = if locate { "COMMIT; SELECT pg_current_wal_insert_lsn()" } else { "COMMIT" };
        self.committing = true;
        match self.simple(sql).await {
            Ok(messages) => {
                self.committing = false;
                self.opened = None;
                Ok(first_value(&messages).and_then(parse_lsn))
            }
            Err(Error::Unavailable { source }) => Err(Error::CommitUnknown { source }),
            Err(error) => Err(error),
        }
    }

    /// Rolls back and waits for the server to have done so. A connection that cannot is closed, which rolls
    /// back as well.
    pub(crate) async fn rollback(mut self) {
        if self.simple("ROLLBACK").await.is_ok() {
            self.opened = None;
        }
    }

    /// Up to where a replica shows the primary's log; `None` when it is not a replica.
    pub(super) async fn replayed(&mut self) -> Result<Option<u64>, Error> {
        let messages = self.simple("SELECT pg_last_wal_replay_lsn()").await?;
        Ok(first_value(&messages).and_then(parse_lsn))
    }

    /// Runs statements without parameters, in one round trip.
    pub(super) async fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        let patience = self.patience;
        let connection = self.ready()?;
        let answer = tokio::time::timeout(patience, connection.simple_query(sql)).await;
        self.finish(answer)?
    }

    /// The connection, for a statement that is about to be sent.
    fn ready(&mut self) -> Result<&Object, Error> {
        if self.in_flight {
            return Err(Error::Aborted);
        }
        if self.opened.is_some_and(|opened| opened.elapsed() > self.tx_timeout) {
            return Err(Error::TransactionTimeout);
        }
        let connection = self.connection.as_ref().ok_or(Error::Aborted)?;
        self.in_flight = true;
        Ok(connection)
    }

    fn finish<T>(
        &mut self,
        answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<Result<T, Error>, Error> {
        match answer {
            Ok(answer) => {
                self.in_flight = false;
                Ok(answer.map_err(|error| {
                    if let Some(connection) = self.connection.as_ref().filter(|_| is_stale_plan(&error)) {
                        connection.statement_cache.clear();
                    }
                    let error = classify(error);
                    self.lost = matches!(error, Error::Unavailable { .. });
                    error
                }))
            }
            // The server should have given up by itself; the connection is closed when the session is dropped.
            Err(elapsed) => Err(Error::Unavailable { source: Arc::new(elapsed) }),
        }
    }

    fn close(connection: Object) {
        drop(Object::take(connection));
    }
}

/// Sends a statement, prepared if the connection may keep it.
async fn send(
    connection: &Object,
    sql: &str,
    params: &[Value],
    settings: &Settings,
) -> Result<RowStream, tokio_postgres::Error> {
    if settings.transaction_pooling {
        return connection
            .query_typed_raw(sql, params.iter().map(|value| (value, natural_type(value))))
            .await;
    }
    if connection.statement_cache.size() >= settings.statement_cache {
        // Statements put together at run time would fill it without end.
        connection.statement_cache.clear();
    }
    let statement: Statement = connection.prepare_cached(sql).await?;
    connection.query_raw(&statement, params).await
}

fn first_value(messages: &[SimpleQueryMessage]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })
}

/// `16/B374D848`: the high and the low half of a position in the log.
fn parse_lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let (high, low) = (u32::from_str_radix(high, 16).ok()?, u32::from_str_radix(low, 16).ok()?);
    Some((u64::from(high) << 32) | u64::from(low))
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.in_flight {
            // A commit that waits for a synchronous replica is not cancelled: it would take effect here alone, be
            // seen by others, and be gone with this server.
            if !self.committing {
                self.pool.cancel(connection.cancel_token());
            }
            Self::close(connection);
            return;
        }
        if self.lost {
            return Self::close(connection);
        }
        if self.opened.is_none() {
            return;
        }
        // The transaction's locks must not wait for the connection's next user.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Self::close(connection) };
        let patience = self.patience;
        runtime.spawn(async move {
            match tokio::time::timeout(patience, connection.simple_query("ROLLBACK")).await {
                Ok(Ok(_)) => drop(connection),
                _ => Self::close(connection),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_the_log_are_numbers() {
        assert_eq!(parse_lsn("16/B374D848"), Some(0x16_B374_D848));
        assert_eq!(parse_lsn("0/0"), Some(0));
        assert_eq!(parse_lsn("nonsense"), None);
    }
}
