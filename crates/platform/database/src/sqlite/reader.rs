use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Deadline, Files, classify};
use crate::config::millis;
use crate::error::Error;

/// A bounded pool of connections that only read.
pub(crate) struct Readers {
    files: Files,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(Connection, Deadline)>>,
}

impl Readers {
    pub(crate) fn new(files: Files) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(files.config.readers));
        Arc::new(Self { files, permits, idle: Mutex::new(Vec::new()) })
    }

    /// Waits for a free connection, for as long as the configuration allows.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<ReadGuard, Error> {
        let permit = match self.permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let wait = self.permits.clone().acquire_owned();
                match tokio::time::timeout(millis(self.files.config.queue_timeout_ms), wait).await {
                    Ok(Ok(permit)) => permit,
                    _ => return Err(Error::Overloaded),
                }
            }
        };
        let idle = self.idle.lock().pop();
        let (connection, deadline) = match idle {
            Some(idle) => idle,
            None => self.files.open_reader().map_err(classify)?,
        };
        Ok(ReadGuard { pool: self.clone(), connection: Some(connection), deadline, _permit: permit })
    }
}

/// A connection on loan; dropping it gives it back.
pub(crate) struct ReadGuard {
    pool: Arc<Readers>,
    connection: Option<Connection>,
    deadline: Deadline,
    // Dropped last, after the connection is back in the pool.
    _permit: OwnedSemaphorePermit,
}

impl ReadGuard {
    /// Lends the connection for one statement, with a fresh time-out.
    pub(crate) fn with<T>(&mut self, run: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let timeout: Duration = millis(self.pool.files.config.statement_timeout_ms);
        self.deadline.set(timeout);
        match &self.connection {
            Some(connection) => run(connection),
            None => Err(Error::Aborted),
        }
    }
}

impl Drop for ReadGuard {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().push((connection, self.deadline.clone()));
        }
    }
}
