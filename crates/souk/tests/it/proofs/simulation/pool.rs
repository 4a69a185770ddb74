//! The thread on which commits become durable, held still.

use std::sync::mpsc::{self, Receiver, Sender};

use tokio::runtime::Runtime;

/// Occupies the only blocking thread of the runtime, so that what is sent to it waits until it is let
/// through. While it is let through nothing else runs, so the order of everything is the same every time.
pub struct Pool {
    hold: Sender<()>,
}

impl Pool {
    /// Takes hold of the pool of the present runtime.
    pub fn hold() -> Self {
        Self { hold: keep() }
    }

    /// Lets everything through that waits by now, and returns when it is done.
    pub fn let_through(&mut self) {
        let (hold, held) = queue();
        self.hold = hold;
        held.recv().unwrap();
    }

    /// Ends the runtime as a killed process ends: what runs is dropped where it stands, what waits for the
    /// disk never gets there.
    pub fn kill(self, runtime: Runtime) {
        let (last, gone) = mpsc::channel::<()>();
        drop(runtime.spawn_blocking(move || drop(last)));
        runtime.shutdown_background();
        drop(self.hold);
        // The queue is dropped in order, so nothing of it is left when its last is gone.
        let _ = gone.recv();
    }
}

fn keep() -> Sender<()> {
    let (hold, held) = queue();
    held.recv().unwrap();
    hold
}

fn queue() -> (Sender<()>, Receiver<()>) {
    let (hold, release) = mpsc::channel::<()>();
    let (started, held) = mpsc::channel();
    drop(tokio::task::spawn_blocking(move || {
        let _ = started.send(());
        let _ = release.recv();
    }));
    (hold, held)
}
