//! The outbox: published if and only if committed, in order, without a gap.

use std::time::Duration;

use contracts::Event as _;
use contracts::identity::SessionEnded;
use database::{Database, Error, Isolation, OutboxEntry};
use kernel::EventId;
use testkit::TestDatabase;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

fn event(reason: &str) -> SessionEnded {
    SessionEnded {
        customer_id: "cus_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        session_id: "ses_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        reason: reason.to_owned(),
    }
}

async fn emit(db: &Database, reason: &str) -> Result<EventId, Error> {
    let event = &event(reason);
    db.write(|mut tx| async move {
        let id = tx.emit(event).await?;
        tx.commit(id).await
    })
    .await
}

fn reasons(entries: &[OutboxEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.envelope.read::<SessionEnded>().unwrap().unwrap().reason).collect()
}

testkit::on_both_engines! {
    async fn an_event_travels_whole(db: TestDatabase) {
        let id = emit(&db, "signed_out").await.unwrap();
        let entries = db.outbox_after(0, 10).await.unwrap();
        assert_eq!(entries.len(), 1);
        let envelope = &entries[0].envelope;
        assert_eq!(envelope.id, id);
        assert_eq!(envelope.source, "/tested");
        assert_eq!(envelope.kind, SessionEnded::TYPE);
        assert_eq!(envelope.subject, event("").key());
        assert_eq!(envelope.time, db.clock().now());
        assert_eq!(envelope.traceparent, None);
        assert_eq!(envelope.read::<SessionEnded>().unwrap(), Some(event("signed_out")));
    }

    async fn what_is_rolled_back_is_never_published(db: TestDatabase) {
        let rolled_back: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.emit(&event("never")).await?;
                tx.rollback(()).await
            })
            .await;
        rolled_back.unwrap();
        emit(&db, "kept").await.unwrap();
        assert_eq!(reasons(&db.outbox_after(0, 10).await.unwrap()), ["kept"]);
    }

    async fn readers_follow_positions(db: TestDatabase) {
        for number in 0..10 {
            emit(&db, &number.to_string()).await.unwrap();
        }
        let (mut position, mut seen) = (0, Vec::new());
        loop {
            let entries = db.outbox_after(position, 3).await.unwrap();
            let Some(last) = entries.last() else { break };
            assert!(entries.len() <= 3);
            position = last.position;
            seen.extend(reasons(&entries));
        }
        assert_eq!(seen, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    async fn what_is_trimmed_does_not_come_back(db: TestDatabase) {
        for number in 0..5 {
            emit(&db, &number.to_string()).await.unwrap();
        }
        let entries = db.outbox_after(0, 10).await.unwrap();
        assert_eq!(db.outbox_trim(entries[4].position, db.clock().now()).await.unwrap(), 0, "they are too young");
        db.clock().advance(Duration::from_secs(60));
        assert_eq!(db.outbox_trim(entries[2].position, db.clock().now()).await.unwrap(), 3);
        assert_eq!(reasons(&db.outbox_after(0, 10).await.unwrap()), ["3", "4"]);
        assert_eq!(db.outbox_trim(entries[4].position, db.clock().now()).await.unwrap(), 2);
        emit(&db, "new").await.unwrap();
        let newer = db.outbox_after(entries[4].position, 10).await.unwrap();
        assert_eq!(reasons(&newer), ["new"], "positions are never given twice");
    }

    async fn a_commit_with_an_event_wakes_whoever_waits(db: TestDatabase) {
        let mut changes = db.outbox_changed();
        emit(&db, "first").await.unwrap();
        changes.changed().await;
        assert_eq!(db.outbox_after(0, 10).await.unwrap().len(), 1, "it is there when they wake");
        let waiting = tokio::spawn(async move { changes.changed().await });
        db.write(|tx| tx.commit(())).await.unwrap_or_else(|error: Error| panic!("{error}"));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "a commit without an event wakes nobody");
        emit(&db, "second").await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    }

    async fn concurrent_writers_and_a_follower_lose_nothing(db: TestDatabase) {
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let db = Database::clone(&db);
            writers.spawn(async move {
                for number in 0..15 {
                    emit(&db, &format!("{writer}:{number}")).await.unwrap();
                }
            });
        }
        let (mut position, mut seen) = (0, Vec::new());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while seen.len() < 120 && tokio::time::Instant::now() < deadline {
            let entries = db.outbox_after(position, 7).await.unwrap();
            position = entries.last().map_or(position, |entry| entry.position);
            seen.extend(reasons(&entries));
        }
        writers.join_all().await;
        assert_eq!(seen.len(), 120);
        for writer in 0..8 {
            let own: Vec<String> = seen.iter().filter(|reason| reason.starts_with(&format!("{writer}:"))).cloned().collect();
            assert_eq!(own, (0..15).map(|number| format!("{writer}:{number}")).collect::<Vec<_>>());
        }
    }
}

/// The case that loses events where a reader follows a plain sequence: the earlier number commits later.
#[tokio::test]
async fn a_late_commit_is_not_passed_over() {
    let db = TestDatabase::on(testkit::database::Engine::Postgres).await;
    let (end, ended) = oneshot::channel::<()>();
    let (tell, holds) = oneshot::channel::<()>();
    let handle = Database::clone(&db);
    let early = tokio::spawn(async move {
        let mut signals = Some((tell, ended));
        handle
            .write_with(Isolation::ReadCommitted, |mut tx| {
                let signals = signals.take();
                async move {
                    tx.emit(&event("began first")).await?;
                    if let Some((tell, ended)) = signals {
                        tell.send(()).unwrap();
                        ended.await.unwrap();
                    }
                    tx.commit(()).await
                }
            })
            .await
    });
    holds.await.unwrap();
    emit(&db, "committed first").await.unwrap();
    let first = db.outbox_after(0, 10).await.unwrap();
    assert_eq!(reasons(&first), ["committed first"]);
    end.send(()).unwrap();
    let committed: Result<(), Error> = early.await.unwrap();
    committed.unwrap();
    let then = db.outbox_after(first[0].position, 10).await.unwrap();
    assert_eq!(reasons(&then), ["began first"]);
}

/// The event carries the trace of the request that wrote it, in the form of W3C Trace Context.
#[tokio::test]
async fn the_trace_travels_with_the_event() {
    use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
    use tracing::Instrument as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tests"));
    let subscriber = tracing_subscriber::registry().with(layer);
    let _guard = tracing::subscriber::set_default(subscriber);
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let span = tracing::info_span!("request");
    let trace = span.context().span().span_context().trace_id().to_string();
    emit(&db, "traced").instrument(span).await.unwrap();
    let entries = db.outbox_after(0, 10).await.unwrap();
    let traceparent = entries[0].envelope.traceparent.clone().unwrap();
    let parts: Vec<&str> = traceparent.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", trace.as_str(), "01"));
    assert_eq!(parts[2].len(), 16);
}
