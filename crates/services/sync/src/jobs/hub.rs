use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use kernel::SessionId;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};

use crate::model::{Change, Channel};

/// Hands changes to the listeners of this process, each channel to its own.
pub(crate) struct Hub {
    channels: Mutex<HashMap<Channel, broadcast::Sender<Arc<Change>>>>,
    sessions: broadcast::Sender<SessionId>,
    listeners: AtomicUsize,
    /// Listeners have been sent everything up to here.
    sent: AtomicI64,
    /// Wakes the follower when the first listener comes.
    pub(crate) wanted: Notify,
    buffer: usize,
    max_listeners: usize,
}

/// One stream's place at the hub, given back when dropped.
pub(crate) struct Listening {
    hub: Arc<Hub>,
    pub(crate) channels: Vec<Channel>,
    receivers: Vec<broadcast::Receiver<Arc<Change>>>,
}

/// A listener was too slow, and must read the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lagged;

/// Sessions end seldom; a stream that misses this many hears of it by its token.
const SESSION_BUFFER: usize = 256;

impl Hub {
    pub(crate) fn new(buffer: usize, max_listeners: usize) -> Arc<Self> {
        Arc::new(Self {
            channels: Mutex::default(),
            sessions: broadcast::Sender::new(SESSION_BUFFER),
            listeners: AtomicUsize::new(0),
            sent: AtomicI64::new(0),
            wanted: Notify::new(),
            buffer,
            max_listeners,
        })
    }

    /// A place for a listener of `channels`; `None` when there are too many.
    pub(crate) fn listen(self: &Arc<Self>, channels: Vec<Channel>) -> Option<Listening> {
        let mut senders = self.channels.lock();
        if self.listeners.load(Ordering::SeqCst) >= self.max_listeners {
            metrics::counter!("sync_listeners_refused_total").increment(1);
            return None;
        }
        self.listeners.fetch_add(1, Ordering::SeqCst);
        let receivers = channels
            .iter()
            .map(|channel| {
                senders.entry(*channel).or_insert_with(|| broadcast::Sender::new(self.buffer)).subscribe()
            })
            .collect();
        drop(senders);
        self.wanted.notify_one();
        Some(Listening { hub: self.clone(), channels, receivers })
    }

    /// Hands on `changes`, which follow those of the call before.
    pub(crate) fn send(&self, changes: Vec<Change>) {
        let senders = self.channels.lock();
        for change in changes {
            let position = change.position;
            if let Some(sender) = senders.get(&change.channel) {
                // Nobody may be listening any more.
                let _ = sender.send(Arc::new(change));
            }
            self.sent.store(position, Ordering::SeqCst);
        }
    }

    /// The sessions that end from now on.
    pub(crate) fn ended_sessions(&self) -> broadcast::Receiver<SessionId> {
        self.sessions.subscribe()
    }

    /// Ends the streams of `session`.
    pub(crate) fn end_session(&self, session: SessionId) {
        let _ = self.sessions.send(session);
    }

    /// Everything up to this position was sent to whoever listened then.
    pub(crate) fn sent(&self) -> i64 {
        self.sent.load(Ordering::SeqCst)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.listeners.load(Ordering::SeqCst) == 0
    }

    /// Goes on from `position`, which was the newest a moment ago, unless somebody listens: they may
    /// need what came before. Whoever comes later reads a position that is no older.
    pub(crate) fn start_at(&self, position: i64) {
        let _senders = self.channels.lock();
        if self.is_idle() {
            self.sent.store(position, Ordering::SeqCst);
        }
    }
}

impl Listening {
    /// What has come since, in order; waits for it. The follower sends in the order of positions,
    /// so whatever stands before a change that has arrived has arrived as well.
    pub(crate) async fn next(&mut self) -> Result<Vec<Arc<Change>>, Lagged> {
        let arrivals = self.receivers.iter_mut().map(|receiver| Box::pin(receiver.recv()));
        let (first, _, _) = futures_util::future::select_all(arrivals).await;
        let mut changes = vec![first.map_err(|_| Lagged)?];
        for receiver in &mut self.receivers {
            loop {
                match receiver.try_recv() {
                    Ok(change) => changes.push(change),
                    Err(broadcast::error::TryRecvError::Lagged(_)) => return Err(Lagged),
                    Err(_) => break,
                }
            }
        }
        changes.sort_unstable_by_key(|change| change.position);
        Ok(changes)
    }

    /// Forgets what has arrived, for a listener that reads the log instead.
    pub(crate) fn skip(&mut self) {
        for receiver in &mut self.receivers {
            *receiver = receiver.resubscribe();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.receivers.clear();
        let mut senders = self.hub.channels.lock();
        self.hub.listeners.fetch_sub(1, Ordering::SeqCst);
        for channel in &self.channels {
            if senders.get(channel).is_some_and(|sender| sender.receiver_count() == 0) {
                senders.remove(channel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::CustomerId;

    use super::*;

    fn customer(number: u128) -> Channel {
        Channel::Orders(CustomerId::from_uuid(uuid::Uuid::from_u128(number)))
    }

    fn change(position: i64, channel: Channel) -> Change {
        Change { position, channel, kind: "k".into(), data: "{}".into() }
    }

    fn positions(changes: &[Arc<Change>]) -> Vec<i64> {
        changes.iter().map(|change| change.position).collect()
    }

    #[tokio::test]
    async fn a_listener_hears_its_channels_in_order_and_no_others() {
        let hub = Hub::new(8, 2);
        let mut mine = hub.listen(vec![customer(1), Channel::Inventory]).unwrap();
        hub.send(vec![
            change(1, customer(1)),
            change(2, customer(2)),
            change(3, Channel::Inventory),
            change(4, customer(1)),
        ]);
        assert_eq!(positions(&mine.next().await.unwrap()), [1, 3, 4]);
        assert_eq!(hub.sent(), 4);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_so() {
        let hub = Hub::new(2, 2);
        let mut mine = hub.listen(vec![Channel::Inventory]).unwrap();
        hub.send((1..=5).map(|position| change(position, Channel::Inventory)).collect());
        assert_eq!(mine.next().await, Err(Lagged));
        mine.skip();
        hub.send(vec![change(6, Channel::Inventory)]);
        assert_eq!(positions(&mine.next().await.unwrap()), [6]);
    }

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let hub = Hub::new(2, 1);
        let first = hub.listen(vec![customer(1)]).unwrap();
        assert!(hub.listen(vec![customer(2)]).is_none());
        drop(first);
        assert!(hub.is_idle());
        assert!(hub.channels.lock().is_empty());
        assert!(hub.listen(vec![customer(2)]).is_some());
    }
}
