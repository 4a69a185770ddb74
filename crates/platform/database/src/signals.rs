use std::collections::HashMap;
use std::sync::Arc;

use kernel::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

/// What a transaction wrote that somebody in this process waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) outbox: bool,
    due: Vec<(&'static str, Timestamp)>,
}

impl Touched {
    /// Something of `queue` became due at `at`.
    pub(crate) fn due(&mut self, queue: &'static str, at: Timestamp) {
        match self.due.iter_mut().find(|(other, _)| *other == queue) {
            Some((_, first)) => *first = at.min(*first),
            None => self.due.push((queue, at)),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.outbox |= other.outbox;
        for (queue, at) in other.due {
            self.due(queue, at);
        }
    }
}

/// Wakes those who wait for events or due work once the transaction that wrote them has committed.
#[derive(Debug)]
pub(crate) struct Signals {
    outbox: watch::Sender<()>,
    queues: Mutex<HashMap<&'static str, Arc<Queue>>>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self { outbox: watch::Sender::new(()), queues: Mutex::default() }
    }

    pub(crate) fn committed(&self, touched: Touched) {
        if touched.outbox {
            self.outbox.send_replace(());
        }
        for (queue, at) in touched.due {
            let queue = self.queues.lock().get(queue).cloned();
            if let Some(queue) = queue {
                queue.committed(at);
            }
        }
    }

    pub(crate) fn outbox(&self) -> Changes {
        Changes(self.outbox.subscribe())
    }

    pub(crate) fn due(&self, queue: &'static str) -> DueChanges {
        let queue = Arc::clone(self.queues.lock().entry(queue).or_default());
        let changes = Changes(queue.changed.subscribe());
        DueChanges { queue, changes }
    }
}

/// A queue of due work that somebody in this process works on.
#[derive(Debug, Default)]
struct Queue {
    changed: watch::Sender<()>,
    /// Who works on it looks then in any case, so what is due later need not wake them.
    looks_at: Mutex<Option<Timestamp>>,
}

impl Queue {
    fn committed(&self, at: Timestamp) {
        if self.looks_at.lock().is_none_or(|looks_at| at < looks_at) {
            self.changed.send_replace(());
        }
    }
}

/// Tells of work that became due in a queue.
#[derive(Debug)]
pub(crate) struct DueChanges {
    queue: Arc<Queue>,
    changes: Changes,
}

impl DueChanges {
    /// From here on only what is due before `at` is told; with none, everything. To be reset before the
    /// table is read, or what commits between reading and planning would be missed.
    pub(crate) fn plan(&self, at: Option<Timestamp>) {
        *self.queue.looks_at.lock() = at;
    }

    /// Takes everything until now for seen.
    pub(crate) fn mark_seen(&mut self) {
        self.changes.mark_seen();
    }

    pub(crate) async fn changed(&mut self) {
        self.changes.changed().await;
    }
}

/// Tells of commits of this process. A commit between two waits is not missed: the next wait ends at once.
#[derive(Clone, Debug)]
pub struct Changes(watch::Receiver<()>);

impl Changes {
    /// Takes every commit until now for seen: the next wait ends at the next one.
    pub fn mark_seen(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for the next commit; never ends once the database is closed.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_told(changes: &mut DueChanges) -> bool {
        tokio::time::timeout(Duration::from_millis(5), changes.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn only_those_who_would_look_too_late_are_woken() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let signals = Signals::new();
        let (mut mails, mut other) = (signals.due("mails"), signals.due("other"));
        let commit = |seconds| {
            let mut touched = Touched::default();
            touched.due("mails", at(seconds));
            signals.committed(touched);
        };
        commit(60);
        assert!(is_told(&mut mails).await, "nothing is planned");
        mails.plan(Some(at(30)));
        commit(60);
        assert!(!is_told(&mut mails).await);
        commit(10);
        assert!(is_told(&mut mails).await);
        mails.plan(None);
        commit(60);
        mails.mark_seen();
        assert!(!is_told(&mut mails).await);
        assert!(!is_told(&mut other).await, "it was another queue's");
    }
}
