use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use kernel::{Clock, Timestamp};
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync;
use parking_lot::Mutex;

use super::channels::Channels;
use crate::policy::{Bucket, Terms};
use crate::{CacheError, Delivery, MemoryConfig, Subscription, Verdict};

/// What an entry takes beside its key and value, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 128;

/// The cache of one process.
///
/// Both maps evict what was used longest ago. The usual frequency-based admission would turn a newcomer away when
/// the cache is full, and a rate limit whose bucket is turned away is no limit.
pub(crate) struct Memory {
    entries: sync::Cache<String, Entry>,
    buckets: sync::Cache<String, Bucket>,
    channels: Mutex<Channels>,
    clock: Clock,
}

#[derive(Clone)]
struct Entry {
    value: Bytes,
    expires_at: Timestamp,
}

impl Memory {
    pub(crate) fn new(config: &MemoryConfig, clock: Clock) -> Self {
        // An entry weighs at least its share of the bytes, so one bound holds for bytes and for entries.
        let share = u32::try_from(config.max_bytes / config.max_entries.max(1)).unwrap_or(u32::MAX);
        let weight = move |key: &String, entry: &Entry| {
            let bytes = key.len() + entry.value.len() + ENTRY_OVERHEAD_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX).max(share)
        };
        Self {
            entries: sync::Cache::builder()
                .max_capacity(config.max_bytes)
                .weigher(weight)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            buckets: sync::Cache::builder()
                .max_capacity(config.max_buckets)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            channels: Mutex::new(Channels::new(config.subscription_buffer)),
            clock,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        let entry = self.entries.get(key)?;
        (entry.expires_at > self.clock.now()).then_some(entry.value)
    }

    pub(crate) fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        self.entries.insert(key.to_owned(), self.entry(value, ttl));
    }

    pub(crate) fn put_if_absent(&self, key: &str, value: Bytes, ttl: Duration) -> bool {
        let result = self.entries.entry_by_ref(key).and_compute_with(|present| {
            match present.map(moka::Entry::into_value) {
                Some(entry) if entry.expires_at > self.clock.now() => Op::Nop,
                _ => Op::Put(self.entry(value, ttl)),
            }
        });
        !matches!(result, CompResult::Unchanged(_))
    }

    pub(crate) fn remove(&self, key: &str) {
        self.entries.invalidate(key);
    }

    pub(crate) fn increment(&self, key: &str, ttl: Duration) -> Result<u64, CacheError> {
        let mut count = 1;
        self.entries.entry_by_ref(key).and_try_compute_with(|present| {
            let live =
                present.map(moka::Entry::into_value).filter(|entry| entry.expires_at > self.clock.now());
            let Some(entry) = live else {
                return Ok::<_, CacheError>(Op::Put(self.entry(Bytes::from_static(b"1"), ttl)));
            };
            let counted = counter(&entry.value).and_then(|number| number.checked_add(1));
            count = counted.ok_or(CacheError::NotACounter)?;
            Ok(Op::Put(Entry { value: count.to_string().into(), ..entry }))
        })?;
        Ok(count)
    }

    pub(crate) fn take(&self, bucket: String, terms: &Terms) -> Verdict {
        let mut verdict = terms.verdict(terms.capacity(), true);
        self.buckets.entry(bucket).and_compute_with(|present| {
            let now_ms = self.clock.now().as_millis();
            let (left, allowed) = terms.take(present.map(moka::Entry::into_value), now_ms);
            verdict = terms.verdict(left.level, allowed);
            // A full bucket is the same as none.
            if left.level == terms.capacity() { Op::Remove } else { Op::Put(left) }
        });
        verdict
    }

    pub(crate) fn publish(&self, channel: &str, message: Bytes) {
        if let Some(sender) = self.channels.lock().get(channel) {
            // It fails when nobody listens any more, and then nobody is missed.
            let _ = sender.send(Delivery::Message(message));
        }
    }

    pub(crate) fn subscribe(&self, channel: &str) -> Result<Subscription, CacheError> {
        let mut channels = self.channels.lock();
        let receiver = match channels.get(channel) {
            Some(sender) => sender.subscribe(),
            None => channels.open(channel)?.subscribe(),
        };
        Ok(Subscription::new(receiver))
    }

    fn entry(&self, value: Bytes, ttl: Duration) -> Entry {
        Entry { value, expires_at: self.clock.now().plus(ttl) }
    }
}

/// The number that `value` spells in decimal digits.
fn counter(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("entries", &self.entries.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(config: &MemoryConfig) -> Memory {
        Memory::new(config, Clock::manual(Timestamp::EPOCH))
    }

    #[test]
    fn entries_and_bytes_are_both_bounded_and_the_newest_stay() {
        let ttl = Duration::from_secs(60);
        let few = memory(&MemoryConfig { max_entries: 10, ..MemoryConfig::default() });
        let small =
            memory(&MemoryConfig { max_bytes: 10_000, max_entries: 1_000, ..MemoryConfig::default() });
        for number in 0..100 {
            few.put(&format!("key-{number}"), Bytes::from_static(b"x"), ttl);
            small.put(&format!("key-{number}"), Bytes::from(vec![0; 1_000]), ttl);
            few.entries.run_pending_tasks();
            small.entries.run_pending_tasks();
        }
        assert!(few.entries.entry_count() <= 10);
        assert!(small.entries.weighted_size() <= 10_000);
        assert!(few.get("key-99").is_some() && small.get("key-99").is_some());
        assert!(few.get("key-0").is_none() && small.get("key-0").is_none());
    }

    #[test]
    fn a_crowd_of_buckets_never_lets_a_newcomer_go_uncounted() {
        let memory = memory(&MemoryConfig { max_buckets: 8, ..MemoryConfig::default() });
        let terms = crate::Policy::new("test", 1, Duration::from_secs(60)).terms(1).unwrap();
        for number in 0..100 {
            assert!(memory.take(format!("caller-{number}"), &terms).allowed);
            memory.buckets.run_pending_tasks();
            assert!(!memory.take(format!("caller-{number}"), &terms).allowed);
        }
        assert!(memory.buckets.entry_count() <= 8);
    }
}
