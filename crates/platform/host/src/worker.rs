use std::fmt;
use std::sync::Arc;

use database::{BoxError, Database, DueItem, Next, WorkOptions};
use futures_util::future::BoxFuture;

use crate::Shutdown;

/// Background work of a service. It runs until shutdown; when it panics or ends early, whoever
/// supervises it runs it again, so it must take up where it was left from what is stored.
#[derive(Clone)]
pub struct Worker {
    /// Its name in logs and metrics: `orders.checkout`.
    pub name: &'static str,
    run: Arc<dyn Fn(Shutdown) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Worker {
    /// A worker that does `run`.
    pub fn new<F, Fut>(name: &'static str, run: F) -> Self
    where
        F: Fn(Shutdown) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self { name, run: Arc::new(move |shutdown| Box::pin(run(shutdown))) }
    }

    /// A worker that does the due work of `queue`; the queue's name is the worker's.
    pub fn due<H, Fut>(database: &Database, queue: &'static str, options: WorkOptions, handler: H) -> Self
    where
        H: Fn(DueItem) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Next, BoxError>> + Send + 'static,
    {
        let database = database.clone();
        Self::new(queue, move |shutdown| {
            let (database, handler) = (database.clone(), handler.clone());
            async move { database.work(queue, options, shutdown.wait(), handler).await }
        })
    }

    /// Runs it once, until `shutdown` or until it ends by itself.
    pub fn run(&self, shutdown: Shutdown) -> BoxFuture<'static, ()> {
        (self.run)(shutdown)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).finish_non_exhaustive()
    }
}
