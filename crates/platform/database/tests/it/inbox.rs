//! The inbox: an effect happens once, however often an event is delivered.

use std::time::Duration;

use database::{Database, Error};
use kernel::EventId;
use testkit::TestDatabase;
use tokio::task::JoinSet;

use crate::tables;

/// What a consumer does: one point for each event that is new to it.
async fn react(db: &Database, consumer: &str, event: EventId) -> Result<bool, Error> {
    db.write(|mut tx| async move {
        let new = tx.first_time(consumer, event).await?;
        if new {
            tx.execute("UPDATE accounts SET points = points + 1", &[]).await?;
        }
        tx.commit(new).await
    })
    .await
}

testkit::on_both_engines! {
    async fn an_event_is_new_once_to_each_consumer(db: TestDatabase) {
        tables::with_anna(&db).await;
        let event = EventId::new(db.clock().now(), db.rng());
        assert!(react(&db, "a", event).await.unwrap());
        assert!(!react(&db, "a", event).await.unwrap());
        assert!(react(&db, "b", event).await.unwrap());
        let forgotten: Result<bool, Error> = db
            .write(|mut tx| async move {
                let new = tx.first_time("c", event).await?;
                tx.rollback(new).await
            })
            .await;
        assert!(forgotten.unwrap());
        assert!(react(&db, "c", event).await.unwrap(), "what was rolled back was not seen");
    }

    async fn concurrent_deliveries_have_one_effect(db: TestDatabase) {
        tables::with_anna(&db).await;
        let event = EventId::new(db.clock().now(), db.rng());
        let mut deliveries = JoinSet::new();
        for _ in 0..20 {
            let db = Database::clone(&db);
            deliveries.spawn(async move { react(&db, "a", event).await.unwrap() });
        }
        assert_eq!(deliveries.join_all().await.into_iter().filter(|new| *new).count(), 1);
        assert_eq!(tables::points(&db, 1).await, 1);
    }

    async fn old_entries_are_forgotten(db: TestDatabase) {
        tables::with_anna(&db).await;
        let old = EventId::new(db.clock().now(), db.rng());
        react(&db, "a", old).await.unwrap();
        db.clock().advance(Duration::from_secs(60));
        let new = EventId::new(db.clock().now(), db.rng());
        react(&db, "a", new).await.unwrap();
        assert_eq!(db.inbox_trim(db.clock().now()).await.unwrap(), 1);
        assert!(!react(&db, "a", new).await.unwrap());
        assert!(react(&db, "a", old).await.unwrap());
    }
}
