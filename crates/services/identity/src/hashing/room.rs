use std::sync::{Condvar, Mutex, PoisonError};

/// Memory that hashes may take beyond what each thread keeps for our own. A large one waits until
/// there is enough, so that all of them together stay within the budget.
pub(super) struct Room {
    whole: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

/// A part of the room, given back when it is dropped.
pub(super) struct Taken<'a> {
    room: &'a Room,
    kib: u64,
}

impl Room {
    pub(super) fn new(kib: u64) -> Self {
        Self { whole: kib, free: Mutex::new(kib), freed: Condvar::new() }
    }

    /// How much there is when nobody has any.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// Waits for `kib`; with more than there is, `None`.
    pub(super) fn take(&self, kib: u64) -> Option<Taken<'_>> {
        if kib > self.whole {
            return None;
        }
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_while(free, |free| *free < kib);
        *waited.unwrap_or_else(PoisonError::into_inner) -= kib;
        Some(Taken { room: self, kib })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.room.free.lock().unwrap_or_else(PoisonError::into_inner) += self.kib;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_large_part_waits_for_the_others_and_too_large_a_part_is_refused() {
        let room = Room::new(10);
        assert!(room.take(11).is_none());
        let first = room.take(6).unwrap();
        let second = room.take(4).unwrap();
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            let room = &room;
            scope.spawn(move || {
                let taken = room.take(7);
                sender.send(taken.is_some()).unwrap();
            });
            drop(second);
            assert!(receiver.try_recv().is_err(), "four are free, and seven are wanted");
            drop(first);
            assert!(receiver.recv().unwrap());
        });
        assert!(room.take(10).is_some(), "everything was given back");
    }
}
