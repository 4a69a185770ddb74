//! The one connection that writes, and its group commit.
//!
//! Tasks take turns. The first turn of a group begins SQLite's transaction, every turn gets a savepoint of its
//! own, and a turn that commits releases its savepoint and joins the group. Whoever ends a turn hands the
//! connection to the next waiter or, when nobody waits or the group is full, has the group committed: one
//! fsync, after which every member is answered. Turns end synchronously, on commit as on drop, so no
//! cancellation or panic can strand a group. Lock order: `session` before `queue`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::session::{Member, Outcome, Session};
use super::{Files, classify, is_busy};
use crate::config::millis;
use crate::error::Error;
use crate::signals::{Signals, Touched};

pub(crate) struct Writer {
    name: &'static str,
    files: Files,
    signals: Arc<Signals>,
    session: Mutex<Session>,
    queue: Mutex<Queue>,
    commits: AtomicU64,
    transactions: AtomicU64,
}

struct Queue {
    state: State,
    waiting: VecDeque<oneshot::Sender<Turn>>,
    tickets: u64,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    Held { ticket: u64, since: Instant },
    Committing,
}

impl Queue {
    fn is_held_by(&self, turn: u64) -> bool {
        matches!(self.state, State::Held { ticket, .. } if ticket == turn)
    }
}

/// The right to use the connection. Dropping it passes the connection on.
struct Turn {
    writer: Arc<Writer>,
    ticket: u64,
    since: Instant,
    ended: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended {
            self.writer.end_turn(self.ticket, None);
        }
    }
}

impl Writer {
    pub(crate) fn open(name: &'static str, files: Files, signals: Arc<Signals>) -> Result<Arc<Self>, Error> {
        let session = Session::open(&files).map_err(classify)?;
        Ok(Arc::new(Self {
            name,
            files,
            signals,
            session: Mutex::new(session),
            queue: Mutex::new(Queue { state: State::Idle, waiting: VecDeque::new(), tickets: 0 }),
            commits: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
        }))
    }

    /// How many commits made how many transactions durable.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.transactions.load(Ordering::Relaxed))
    }

    /// Waits for the connection and opens a transaction on it.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<WriteGuard, Error> {
        let asked = Instant::now();
        let turn = self.turn().await?;
        let busy_until = Instant::now() + millis(self.files.config.busy_timeout_ms);
        loop {
            match self.open_turn(turn.ticket)? {
                Ok(()) => break,
                Err(error) if is_busy(&error) && Instant::now() < busy_until => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => return Err(classify(error)),
            }
        }
        metrics::histogram!("database_writer_wait_seconds", "database" => self.name).record(asked.elapsed());
        Ok(WriteGuard { turn })
    }

    /// Opens the savepoint of turn `ticket`, unless the turn was taken away meanwhile.
    fn open_turn(&self, ticket: u64) -> Result<rusqlite::Result<()>, Error> {
        let mut session = self.session.lock();
        if !self.queue.lock().is_held_by(ticket) {
            return Err(Error::TransactionTimeout);
        }
        Ok(session.begin(ticket, &self.files))
    }

    async fn turn(self: &Arc<Self>) -> Result<Turn, Error> {
        let mut waiter = {
            let mut queue = self.queue.lock();
            if matches!(queue.state, State::Idle) {
                return Ok(self.grant(&mut queue));
            }
            if queue.waiting.len() >= self.files.config.writer_queue {
                // Those who gave up waiting still stand in the queue.
                queue.waiting.retain(|waiter| !waiter.is_closed());
                if queue.waiting.len() >= self.files.config.writer_queue {
                    return Err(Error::Overloaded);
                }
            }
            let (sender, receiver) = oneshot::channel();
            queue.waiting.push_back(sender);
            receiver
        };
        let give_up = tokio::time::Instant::now() + millis(self.files.config.queue_timeout_ms);
        loop {
            let look = tokio::time::Instant::now() + millis(self.files.config.tx_timeout_ms.min(100));
            match tokio::time::timeout_at(look.min(give_up), &mut waiter).await {
                Ok(Ok(turn)) => return Ok(turn),
                Ok(Err(_)) => return Err(Error::Aborted),
                Err(_) if tokio::time::Instant::now() >= give_up => return Err(Error::Overloaded),
                // Nobody else watches the one who holds the connection: those who wait for it do.
                Err(_) => self.evict_overdue(),
            }
        }
    }

    fn grant(self: &Arc<Self>, queue: &mut Queue) -> Turn {
        queue.tickets += 1;
        let since = Instant::now();
        queue.state = State::Held { ticket: queue.tickets, since };
        Turn { writer: self.clone(), ticket: queue.tickets, since, ended: false }
    }

    /// Takes the connection from a holder whose transaction has been open for too long.
    fn evict_overdue(self: &Arc<Self>) {
        // While a statement runs, its own time-out is the limit.
        let Some(mut session) = self.session.try_lock() else { return };
        let longest = millis(self.files.config.tx_timeout_ms);
        match self.queue.lock().state {
            State::Held { since, .. } if since.elapsed() > longest => {}
            _ => return,
        }
        tracing::warn!(database = self.name, "a write transaction was open for too long and is rolled back");
        session.end(None);
        self.pass_on(&mut session);
    }

    /// Ends the turn `ticket`: with a member, its work joins the group; without, it is undone. Then passes the
    /// connection on. Does nothing when the turn has already been ended by somebody else.
    fn end_turn(self: &Arc<Self>, ticket: u64, member: Option<Member>) {
        let mut session = self.session.lock();
        if !self.queue.lock().is_held_by(ticket) {
            return;
        }
        session.end(member);
        self.pass_on(&mut session);
    }

    fn pass_on(self: &Arc<Self>, session: &mut Session) {
        let mut queue = self.queue.lock();
        let config = &self.files.config;
        let full = session.is_full(config.group_max, millis(config.group_max_wait_ms));
        if !full {
            while let Some(waiter) = queue.waiting.pop_front() {
                let turn = self.grant(&mut queue);
                match waiter.send(turn) {
                    Ok(()) => return,
                    // This one gave up waiting. Its turn never began, so there is nothing to undo.
                    Err(mut turn) => turn.ended = true,
                }
            }
        }
        if session.is_empty() {
            session.abandon(&self.files);
            queue.state = State::Idle;
            return;
        }
        queue.state = State::Committing;
        drop(queue);
        let writer = self.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || writer.commit_group())),
            // A transaction that is dropped outside the runtime: at the end of the program, at most.
            Err(_) => drop(std::thread::spawn(move || writer.commit_group())),
        }
    }

    fn commit_group(self: &Arc<Self>) {
        let mut session = self.session.lock();
        let started = Instant::now();
        let Outcome { members, result } = session.commit(&self.files);
        // The next group fills while this one's members are answered.
        self.pass_on(&mut session);
        drop(session);
        if result.is_ok() {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.transactions.fetch_add(members.len() as u64, Ordering::Relaxed);
            metrics::histogram!("database_commit_seconds", "database" => self.name).record(started.elapsed());
            metrics::histogram!("database_group_size", "database" => self.name).record(size(members.len()));
        }
        let mut touched = Touched::default();
        for member in members {
            touched.add(member.touched);
            // A member that no longer listens has been committed all the same.
            let _ = member.sender.send(result.clone());
        }
        if result.is_ok() {
            self.signals.committed(touched);
        }
    }
}

fn size(members: usize) -> f64 {
    u32::try_from(members).unwrap_or(u32::MAX).into()
}

/// An open transaction. Dropping it rolls it back.
pub(crate) struct WriteGuard {
    turn: Turn,
}

impl WriteGuard {
    /// Lends the connection for one statement.
    pub(crate) fn with<T>(
        &mut self,
        run: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let writer = &self.turn.writer;
        let left = millis(writer.files.config.tx_timeout_ms).saturating_sub(self.turn.since.elapsed());
        if left.is_zero() {
            writer.end_turn(self.turn.ticket, None);
            return Err(Error::TransactionTimeout);
        }
        let timeout = left.min(millis(writer.files.config.statement_timeout_ms));
        writer.session.lock().run(self.turn.ticket, timeout, run)
    }

    /// Joins the group, and answers once the group is durable.
    pub(crate) async fn commit(mut self, touched: Touched) -> Result<(), Error> {
        let (sender, answer) = oneshot::channel();
        self.turn.ended = true;
        self.turn.writer.end_turn(self.turn.ticket, Some(Member { sender, touched }));
        // The sender is dropped unused when the turn had already been taken away.
        answer.await.unwrap_or(Err(Error::TransactionTimeout))
    }
}
