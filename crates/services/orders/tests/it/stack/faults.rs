use std::collections::HashMap;

use contracts::ChannelError;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never gets there.
    Unreachable,
    /// It never gets there, and nobody can tell.
    LostOnTheWay,
    /// It is done and the answer is lost.
    AnswerLost,
    /// It never gets there, and the caller dies while waiting.
    CrashBefore,
    /// It is done, and the caller dies before the answer.
    CrashAfter,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unreachable, Self::LostOnTheWay, Self::AnswerLost, Self::CrashBefore, Self::CrashAfter];

    pub(crate) const fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }
}

/// Counts the calls that change something, and makes those fail that are told to.
#[derive(Default)]
pub(crate) struct Faults {
    planned: Mutex<HashMap<usize, Fault>>,
    always: Mutex<HashMap<&'static str, Fault>>,
    calls: Mutex<Vec<String>>,
    crashed: Notify,
}

impl Faults {
    /// The call number `call`, counted from zero, fails.
    pub(crate) fn plan(&self, call: usize, fault: Fault) {
        self.planned.lock().insert(call, fault);
    }

    /// Every call to `service` fails until told otherwise.
    pub(crate) fn always(&self, service: &'static str, fault: Option<Fault>) {
        let mut always = self.always.lock();
        match fault {
            Some(fault) => drop(always.insert(service, fault)),
            None => drop(always.remove(service)),
        }
    }

    /// The calls so far, as `POST /internal/…` with ids left out.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().clone()
    }

    /// Waits until a caller has been made to die.
    pub(crate) async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// What goes wrong with the call `what` to `service`.
    pub(crate) fn of_call(&self, service: &'static str, what: String) -> Option<Fault> {
        let mut calls = self.calls.lock();
        let number = calls.len();
        calls.push(what);
        self.planned.lock().remove(&number).or_else(|| self.always.lock().get(service).copied())
    }

    /// Dies: never returns, and tells the test so.
    pub(crate) async fn crash(&self) -> ChannelError {
        self.crashed.notify_one();
        std::future::pending().await
    }
}
