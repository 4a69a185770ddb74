//! Reactions to test with. Their only effect is a row, so that "exactly once" can be counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bus::{React, ReactError};
use contracts::identity::SessionEnded;
use contracts::{Envelope, Event as _};
use database::{Migration, Tx, params};
use futures_util::future::BoxFuture;

pub const EFFECTS: &[Migration] = &[Migration {
    number: 1,
    name: "effects",
    sqlite: "CREATE TABLE effects (
                 sequence INTEGER PRIMARY KEY, consumer TEXT NOT NULL, event_key TEXT NOT NULL, label TEXT NOT NULL
             ) STRICT",
    postgres: "CREATE TABLE effects (
                 sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 consumer text NOT NULL, event_key text NOT NULL, label text NOT NULL
             )",
}];

/// Notes each event as a row; fails, panics or hangs for labels that it was told to.
pub struct Noting {
    name: &'static str,
    failing: Mutex<HashMap<String, u32>>,
    pub broken: AtomicBool,
}

impl Noting {
    pub fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, failing: Mutex::default(), broken: AtomicBool::new(false) })
    }

    /// The next `times` tries of the event labelled `label` fail.
    pub fn fail(&self, label: &str, times: u32) {
        self.failing.lock().unwrap().insert(label.to_owned(), times);
    }

    fn fails_now(&self, label: &str) -> bool {
        let mut failing = self.failing.lock().unwrap();
        match failing.get_mut(label) {
            Some(0) | None => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

impl React for Noting {
    fn consumer(&self) -> &'static str {
        self.name
    }

    fn types(&self) -> &'static [&'static str] {
        &[SessionEnded::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            let ended: SessionEnded = event.read()?.ok_or("another type")?;
            let label = ended.reason.as_str();
            // The row is written before the failure, so that a failure must take it back.
            tx.execute(
                "INSERT INTO effects (consumer, event_key, label) VALUES ($1, $2, $3)",
                &params![self.name, event.subject.as_str(), label],
            )
            .await?;
            assert!(label != "panic", "told to panic");
            if self.broken.load(Ordering::SeqCst) || self.fails_now(label) {
                return Err("told to fail".into());
            }
            Ok(())
        })
    }
}
