//! What the platform's own tables no longer need goes.

use std::time::Duration;

use database::idempotency::{self, Begin};
use database::{Database, Error, Trimmed};
use kernel::EventId;
use testkit::TestDatabase;

const KEEP: Duration = Duration::from_secs(24 * 3_600);
const KEEP_SEEN: Duration = Duration::from_secs(4 * 24 * 3_600);

/// Sees `count` new events and answers as many requests, in one transaction.
async fn work(db: &Database, count: usize) -> EventId {
    let now = db.clock().now();
    let last: Result<EventId, Error> = db
        .write(|mut tx| async move {
            let mut last = EventId::new(now, db.rng());
            for number in 0..count {
                last = EventId::new(now, db.rng());
                assert!(tx.first_time("a", last).await?);
                let key = format!("{now} {number}");
                assert_eq!(idempotency::begin(&mut tx, "anna", &key, b"", now, KEEP).await?, Begin::New);
            }
            tx.commit(last).await
        })
        .await;
    last.unwrap()
}

testkit::on_both_engines! {
    async fn what_is_no_longer_needed_goes_and_the_rest_stays(db: TestDatabase) {
        // More than one transaction deletes.
        let old = work(&db, 1_001).await;
        assert_eq!(db.trim(KEEP_SEEN).await.unwrap(), Trimmed::default());
        db.clock().advance(KEEP);
        work(&db, 2).await;
        assert_eq!(db.trim(KEEP_SEEN).await.unwrap(), Trimmed { seen: 0, keys: 1_001 });
        db.clock().advance(KEEP_SEEN - KEEP + Duration::from_micros(1));
        let new = work(&db, 1).await;
        assert_eq!(db.trim(KEEP_SEEN).await.unwrap(), Trimmed { seen: 1_001, keys: 2 });
        assert_eq!(db.trim(KEEP_SEEN).await.unwrap(), Trimmed::default());

        let known = async |event: EventId| {
            let new: Result<bool, Error> = db
                .write(|mut tx| async move {
                    let new = tx.first_time("a", event).await?;
                    tx.rollback(new).await
                })
                .await;
            !new.unwrap()
        };
        assert!(known(new).await);
        assert!(!known(old).await);
    }
}
