//! From started to stopped: listeners, workers, the bus, and the order in which they end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use database::Database;
use futures_util::FutureExt as _;
use gateway::{Server, ServerConfig};
use host::{Shutdown, Worker};
use tokio::task::JoinSet;

use crate::ops;
use crate::wiring::Shop;

/// How long workers and the bus may take to end after the listener has.
const WORKERS_END: Duration = Duration::from_secs(10);

/// How often the platform's own tables are trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(600);

/// The pause before a worker that ended early runs again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A shop that runs.
pub(crate) struct Running {
    stopping: Shutdown,
    listening: Shutdown,
    background: Shutdown,
    drain_delay: Duration,
    listeners: JoinSet<anyhow::Result<()>>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts everything of `shop`. From here on it answers.
    pub(crate) async fn start(shop: &Shop, telemetry: Arc<telemetry::Guard>) -> anyhow::Result<Self> {
        let (stopping, listening, background) = (Shutdown::new(), Shutdown::new(), Shutdown::new());
        let mut tasks = start_background(shop, &background);
        // Nobody may be believed before it is known whose session has ended.
        shop.revocations.resync(&shop.identity).await;
        tasks.spawn({
            let (revocations, identity, cache, background) =
                (shop.revocations.clone(), shop.identity.clone(), shop.cache.clone(), background.clone());
            async move { revocations.follow(identity, cache, background.wait()).await }
        });

        let mut listeners = JoinSet::new();
        let server = Server::bind(&shop.config.listen, &shop.config.server).await?;
        let (router, token) = (shop.router.clone(), listening.token());
        listeners.spawn(async move { Ok(server.serve(router, token).await?) });

        let plain = ServerConfig { tls: None, ..shop.config.server.clone() };
        let server = Server::bind(&shop.config.ops_listen, &plain).await?;
        let parts = ops::Parts {
            databases: shop.databases.clone(),
            cache: shop.cache.clone(),
            bus: shop.bus.clone(),
            objects: shop.objects.clone(),
            mailer: shop.mailer.clone(),
            revocations: shop.revocations.clone(),
            stopping: stopping.clone(),
            metrics: telemetry,
        };
        let (router, token) = (ops::router(parts), background.token());
        listeners.spawn(async move { Ok(server.serve(router, token).await?) });
        let drain_delay = Duration::from_millis(shop.config.server.drain_delay_ms);
        Ok(Self { stopping, listening, background, drain_delay, listeners, tasks })
    }

    /// Waits for a signal to end, then ends in order: no new requests, the present ones, workers.
    pub(crate) async fn until_signal(mut self) -> anyhow::Result<()> {
        let signal = signal()?;
        tokio::select! {
            () = signal => tracing::info!("ending"),
            Some(ended) = self.listeners.join_next() => {
                ended.context("a listener failed")??;
                anyhow::bail!("a listener ended by itself");
            }
        }
        self.stop().await
    }

    /// Ends in order: readiness, the listener and what it is working on, workers and the bus.
    async fn stop(mut self) -> anyhow::Result<()> {
        self.stopping.set();
        tokio::time::sleep(self.drain_delay).await;
        self.listening.set();
        if let Some(ended) = self.listeners.join_next().await {
            ended.context("a listener failed")??;
        }
        self.background.set();
        let all = async {
            while self.tasks.join_next().await.is_some() {}
            while self.listeners.join_next().await.is_some() {}
        };
        if tokio::time::timeout(WORKERS_END, all).await.is_err() {
            tracing::warn!("some workers did not end in time; their work is taken up at the next start");
        }
        Ok(())
    }
}

/// Starts the workers and the bus of `shop`.
fn start_background(shop: &Shop, background: &Shutdown) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for worker in &shop.workers {
        tasks.spawn(supervise(worker.clone(), background.clone()));
    }
    let (bus, sources, subscriptions) =
        (shop.bus.clone(), shop.databases.clone(), shop.subscriptions.clone());
    let carry = Worker::new("bus", move |shutdown: Shutdown| {
        let (bus, sources, subscriptions) = (bus.clone(), sources.clone(), subscriptions.clone());
        async move {
            if let Err(error) = bus.run(sources, subscriptions, shutdown.token()).await {
                tracing::error!(%error, "events cannot be carried");
            }
        }
    });
    tasks.spawn(supervise(carry, background.clone()));
    let (databases, keep_seen) = (shop.databases.clone(), shop.config.bus.comes_again_within());
    let short = Worker::new("trim", move |shutdown| trim(databases.clone(), keep_seen, shutdown));
    tasks.spawn(supervise(short, background.clone()));
    tasks
}

/// Keeps the platform's own tables of every service short, until shutdown.
async fn trim(databases: Vec<Database>, keep_seen: Duration, shutdown: Shutdown) {
    while !shutdown.is_set() {
        for database in &databases {
            if let Err(error) = database.trim(keep_seen).await {
                tracing::warn!(database = database.name(), %error, "old rows could not be deleted");
            }
        }
        tokio::select! {
            () = shutdown.wait() => {}
            () = tokio::time::sleep(TRIM_EVERY) => {}
        }
    }
}

/// Runs `worker` until shutdown; when it panics or ends early it runs again after a pause.
async fn supervise(worker: Worker, shutdown: Shutdown) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = tokio::time::Instant::now();
        let ended = AssertUnwindSafe(worker.run(shutdown.clone())).catch_unwind().await;
        if shutdown.is_set() {
            return;
        }
        metrics::counter!("souk_worker_restarts_total", "worker" => worker.name).increment(1);
        match ended {
            Ok(()) => tracing::warn!(worker = worker.name, "a worker ended early"),
            Err(_) => tracing::error!(worker = worker.name, "a worker panicked"),
        }
        // One that ran for long is not one that cannot start.
        pause = if begun.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Ends at the first SIGINT or SIGTERM.
fn signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
