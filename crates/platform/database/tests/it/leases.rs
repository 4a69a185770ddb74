//! Leases: one holder at a time, and the token tells a late one from the present one.

use std::time::Duration;

use database::{Database, Error, Lease};
use testkit::TestDatabase;
use tokio::task::JoinSet;

const TTL: Duration = Duration::from_secs(10);

async fn holds(db: &Database, lease: &Lease) -> bool {
    let held: Result<bool, Error> = db
        .write(|mut tx| async move {
            let held = lease.hold(&mut tx).await?;
            tx.commit(held).await
        })
        .await;
    held.unwrap()
}

testkit::on_both_engines! {
    async fn one_holder_at_a_time(db: TestDatabase) {
        let other = db.reopen().await;
        let lease = db.lease("sweep", TTL).await.unwrap().unwrap();
        assert!(other.lease("sweep", TTL).await.unwrap().is_none());
        assert!(other.lease("another", TTL).await.unwrap().is_some());
        assert!(lease.release().await.unwrap());
        assert!(other.lease("sweep", TTL).await.unwrap().is_some());
    }

    async fn an_expired_lease_passes_on_and_its_holder_is_fenced_off(db: TestDatabase) {
        let late = db.lease("sweep", TTL).await.unwrap().unwrap();
        assert!(holds(&db, &late).await);
        db.clock().advance(TTL);
        assert!(!holds(&db, &late).await, "expired, though nobody took it");
        let present = db.lease("sweep", TTL).await.unwrap().unwrap();
        assert!(present.token() > late.token());
        assert!(!late.renew().await.unwrap());
        assert!(!holds(&db, &late).await);
        assert!(!late.release().await.unwrap(), "and cannot give away what is not its own");
        assert!(holds(&db, &present).await);
    }

    async fn renewing_keeps_it(db: TestDatabase) {
        let lease = db.lease("sweep", TTL).await.unwrap().unwrap();
        for _ in 0..5 {
            db.clock().advance(TTL / 2);
            assert!(lease.renew().await.unwrap());
        }
        assert!(db.lease("sweep", TTL).await.unwrap().is_none());
    }

    async fn of_many_who_ask_one_gets_it(db: TestDatabase) {
        let mut asking = JoinSet::new();
        for _ in 0..12 {
            let db = Database::clone(&db);
            asking.spawn(async move { db.lease("sweep", TTL).await.unwrap() });
        }
        assert_eq!(asking.join_all().await.into_iter().flatten().count(), 1);
    }
}
