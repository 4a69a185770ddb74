use tokio::sync::watch;

/// What a transaction wrote that somebody in this process waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) outbox: bool,
    pub(crate) due: bool,
}

impl Touched {
    pub(crate) fn add(&mut self, other: Self) {
        self.outbox |= other.outbox;
        self.due |= other.due;
    }
}

/// Wakes those who wait for events or due work once the transaction that wrote them has committed.
#[derive(Debug)]
pub(crate) struct Signals {
    outbox: watch::Sender<()>,
    due: watch::Sender<()>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self { outbox: watch::Sender::new(()), due: watch::Sender::new(()) }
    }

    pub(crate) fn committed(&self, touched: Touched) {
        if touched.outbox {
            self.outbox.send_replace(());
        }
        if touched.due {
            self.due.send_replace(());
        }
    }

    pub(crate) fn outbox(&self) -> Changes {
        Changes(self.outbox.subscribe())
    }

    pub(crate) fn due(&self) -> Changes {
        Changes(self.due.subscribe())
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
