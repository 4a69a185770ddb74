use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Deadline, Files, classify};
use crate::error::Error;
use crate::signals::Touched;

/// A transaction that has ended well and waits for its group to become durable.
pub(super) struct Member {
    pub(super) sender: oneshot::Sender<Result<(), Error>>,
    pub(super) touched: Touched,
}

/// How the commit of a group ended, and who wants to know.
pub(super) struct Outcome {
    pub(super) members: Vec<Member>,
    pub(super) result: Result<(), Error>,
}

/// The writing connection and the group that is open on it.
pub(super) struct Session {
    /// None only when the connection was broken and could not be opened anew.
    connection: Option<(Connection, Deadline)>,
    group: Vec<Member>,
    /// When the group's first member ended.
    group_since: Option<Instant>,
    /// The turn whose savepoint is open; zero for none.
    holder: u64,
}

impl Session {
    pub(super) fn open(files: &Files) -> rusqlite::Result<Self> {
        let connection = Some(files.open_writer()?);
        Ok(Self { connection, group: Vec::new(), group_since: None, holder: 0 })
    }

    /// Opens the savepoint of turn `ticket`, and the transaction around it if there is none.
    pub(super) fn begin(&mut self, ticket: u64, files: &Files) -> rusqlite::Result<()> {
        let (connection, deadline) = match &mut self.connection {
            Some(open) => open,
            broken => broken.insert(files.open_writer()?),
        };
        deadline.set(Duration::MAX);
        if connection.is_autocommit() {
            run(connection, "BEGIN IMMEDIATE")?;
        }
        run(connection, "SAVEPOINT member")?;
        self.holder = ticket;
        Ok(())
    }

    /// Runs one statement of turn `ticket`.
    pub(super) fn run<T>(
        &mut self,
        ticket: u64,
        timeout: Duration,
        statement: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some((connection, deadline)) = self.connection.as_ref().filter(|_| self.holder == ticket) else {
            return Err(Error::TransactionTimeout);
        };
        deadline.set(timeout);
        let result = statement(connection);
        deadline.set(Duration::MAX);
        // Some failures (a full disk, an interrupted write) make SQLite undo the whole transaction, the
        // finished members of the group included. They run again: nothing of them has been answered.
        if connection.is_autocommit() {
            self.holder = 0;
            let source: crate::error::Source = match &result {
                Err(error) => Arc::new(error.clone()),
                Ok(_) => Arc::new(std::io::Error::other("the transaction ended by itself")),
            };
            self.fail(&Error::Retry { source });
        }
        result
    }

    /// Ends the open turn. With a member its work joins the group, without it is undone.
    pub(super) fn end(&mut self, member: Option<Member>) {
        let open = std::mem::take(&mut self.holder) != 0;
        let Some((connection, _)) = self.connection.as_ref().filter(|_| open) else {
            // The turn never began, or its transaction is gone; a member learns of it by the dropped sender.
            return;
        };
        let ended = match member {
            Some(member) => {
                self.group_since.get_or_insert_with(Instant::now);
                self.group.push(member);
                run(connection, "RELEASE member")
            }
            None => run(connection, "ROLLBACK TO member").and_then(|()| run(connection, "RELEASE member")),
        };
        if let Err(error) = ended {
            self.break_off(error);
        }
    }

    /// Whether the group should be committed before anybody else joins.
    pub(super) fn is_full(&self, most: usize, longest: Duration) -> bool {
        self.group.len() >= most || self.group_since.is_some_and(|since| since.elapsed() >= longest)
    }

    /// Whether nobody waits for a commit.
    pub(super) fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// Closes a transaction that nobody has anything in.
    pub(super) fn abandon(&mut self, files: &Files) {
        if self.connection.as_ref().is_some_and(|(connection, _)| !connection.is_autocommit()) {
            self.roll_back(files);
        }
    }

    /// Makes the group durable, or undoes it.
    pub(super) fn commit(&mut self, files: &Files) -> Outcome {
        let result = match &self.connection {
            Some((connection, _)) => run(connection, "COMMIT"),
            None => Err(rusqlite::Error::InvalidQuery),
        };
        if result.is_err() {
            self.roll_back(files);
        }
        self.group_since = None;
        Outcome { members: std::mem::take(&mut self.group), result: result.map_err(classify) }
    }

    /// Undoes the open transaction, with a fresh connection if need be.
    fn roll_back(&mut self, files: &Files) {
        let undone = self
            .connection
            .as_ref()
            .is_some_and(|(connection, _)| connection.is_autocommit() || run(connection, "ROLLBACK").is_ok());
        if !undone {
            // Closing the connection undoes whatever it had open.
            self.connection = None;
            self.connection = files.open_writer().ok();
        }
    }

    /// Gives up the group after a failure that leaves the connection in doubt.
    fn break_off(&mut self, error: rusqlite::Error) {
        self.connection = None;
        self.fail(&Error::Retry { source: Arc::new(error) });
    }

    fn fail(&mut self, error: &Error) {
        self.group_since = None;
        for member in self.group.drain(..) {
            let _ = member.sender.send(Err(error.clone()));
        }
    }
}

fn run(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(|_| ())
}
