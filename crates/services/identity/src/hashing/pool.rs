use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Threads that do long work, each with scratch memory `S` of its own. They end when the pool is
/// dropped and their queue is empty.
pub(super) struct Pool<S> {
    queue: SyncSender<Job<S>>,
    wait: Duration,
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// The queue was full, or no thread became free in time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl<S: Default + 'static> Pool<S> {
    /// Starts `threads` threads with a queue of `queue` jobs, each of which waits for at most `wait`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(threads: usize, queue: usize, wait: Duration) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job<S>>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new().name(format!("hashing-{number}")).spawn(move || work(&receiver))?;
        }
        Ok(Self { queue: sender, wait })
    }

    /// Does `work` on one of the threads. Work that nobody waits for any more is left out.
    ///
    /// # Errors
    /// [`Busy`] when it could not begin in time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (answer, mut answered) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let (began, deadline) = (Arc::clone(&begun), Instant::now() + self.wait);
        let job = Box::new(move |scratch: &mut S| {
            if !answer.is_closed() && Instant::now() < deadline {
                began.store(true, Ordering::Release);
                let _ = answer.send(work(scratch));
            }
        });
        self.queue.try_send(job).map_err(|_| Busy)?;
        match timeout(self.wait, &mut answered).await {
            Ok(answer) => answer.map_err(|_| Busy),
            // What has begun will end soon; what has not is given up, and its thread will find nobody waiting.
            Err(_) if begun.load(Ordering::Acquire) => answered.await.map_err(|_| Busy),
            Err(_) => Err(Busy),
        }
    }
}

fn work<S: Default>(queue: &Mutex<Receiver<Job<S>>>) {
    let mut scratch = S::default();
    loop {
        // The lock is held while waiting: one thread waits for a job, the others for the lock.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(|| job(&mut scratch))).is_err() {
            // Whoever waits is told by the dropped channel; the thread goes on with fresh memory.
            tracing::error!("hashing panicked");
            scratch = S::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_what_was_taken_is_done() {
        let pool = Arc::new(Pool::<()>::start(1, 1, LONG).unwrap());
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = channel();
        let running = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move |()| {
                    let _ = begun.send(());
                    released.recv().is_ok()
                })
                .await
            }
        });
        has_begun.await.unwrap();
        let mut waiting = Box::pin(pool.run(|()| 2));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(pool.run(|()| 3).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(running.await.unwrap(), Ok(true));
        assert_eq!(waiting.await, Ok(2));
    }

    #[tokio::test]
    async fn what_waits_too_long_is_given_up_and_never_begun() {
        let pool = Arc::new(Pool::<()>::start(1, 2, Duration::from_millis(20)).unwrap());
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = channel::<()>();
        let running = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move |()| {
                    let _ = begun.send(());
                    released.recv().is_ok()
                })
                .await
            }
        });
        has_begun.await.unwrap();
        assert_eq!(pool.run(|()| panic!("nobody waits for this")).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(running.await.unwrap(), Ok(true), "what had begun was waited for");
        assert_eq!(pool.run(|()| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let pool = Pool::<u32>::start(1, 1, LONG).unwrap();
        assert_eq!(pool.run(|_| -> u32 { panic!("planned") }).await, Err(Busy));
        assert_eq!(pool.run(|scratch| *scratch + 1).await, Ok(1));
    }
}
