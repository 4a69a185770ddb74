use std::collections::HashMap;

use tokio::sync::broadcast;

use crate::{CacheError, Delivery, MAX_CHANNELS};

/// The channels that this process listens to, each with its receivers.
#[derive(Debug)]
pub(super) struct Channels {
    senders: HashMap<String, broadcast::Sender<Delivery>>,
    buffer: usize,
}

impl Channels {
    /// No channels yet; each receiver may fall `buffer` deliveries behind.
    pub(super) fn new(buffer: usize) -> Self {
        // The lower bound is what `broadcast` can do; the upper keeps a misprint from taking all memory.
        Self { senders: HashMap::new(), buffer: buffer.clamp(1, 1 << 16) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&broadcast::Sender<Delivery>> {
        self.senders.get(name)
    }

    /// Opens `name`.
    pub(super) fn open(&mut self, name: &str) -> Result<broadcast::Sender<Delivery>, CacheError> {
        self.forget_idle();
        if self.senders.len() >= MAX_CHANNELS {
            return Err(CacheError::TooManyChannels { limit: MAX_CHANNELS });
        }
        let sender = broadcast::Sender::new(self.buffer);
        self.senders.insert(name.to_owned(), sender.clone());
        Ok(sender)
    }

    /// Forgets the channels that nobody listens to any more.
    pub(super) fn forget_idle(&mut self) {
        self.senders.retain(|_, sender| sender.receiver_count() > 0);
    }
}
