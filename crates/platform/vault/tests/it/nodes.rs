use std::time::{Duration, Instant};

use database::DatabaseConfig;
use futures_util::future::join_all;
use kernel::Fail;
use testkit::TestDatabase;
use testkit::engines::Postgres;
use vault::{VaultConfig, VaultError};

use crate::support::*;

const ALMOST_A_SECOND: Duration = Duration::from_millis(999);

testkit::on_both_engines! {
    async fn every_node_forgets_an_erased_person_within_a_second(db: TestDatabase) {
        let ground = Ground::on(db);
        let (one, two) = (ground.open().await, ground.open().await);
        let sealed = one.seal(person(1), NAME, b"Maria").await.unwrap();
        let other = one.seal(person(2), NAME, b"Nina").await.unwrap();
        assert!(two.open_sealed(person(1), NAME, &sealed).await.unwrap().is_some());
        assert!(two.open_sealed(person(2), NAME, &other).await.unwrap().is_some());
        one.destroy(person(1)).await.unwrap();
        // At once where it was done, and a moment later everywhere else.
        assert_eq!(one.clone().open_sealed(person(1), NAME, &sealed).await.unwrap(), None);
        ground.later(ALMOST_A_SECOND);
        assert_eq!(two.open_sealed(person(1), NAME, &sealed).await.unwrap(), None);
        assert!(matches!(two.seal(person(1), NAME, b"Maria").await, Err(VaultError::Erased)));
        assert!(two.open_sealed(person(2), NAME, &other).await.unwrap().is_some());
    }
}

testkit::on_both_engines! {
    async fn a_node_that_slept_through_many_erasures_forgets_them_all(db: TestDatabase) {
        let ground = Ground::on(db);
        let (one, two) = (ground.open().await, ground.open().await);
        let people: Vec<_> = (0..1_100).map(person).collect();
        let mut sealed = Vec::new();
        for chunk in people.chunks(100) {
            sealed.extend(join_all(chunk.iter().map(|it| one.seal(*it, NAME, b"x"))).await.into_iter().map(Result::unwrap));
        }
        for (who, sealed) in people.iter().zip(&sealed) {
            assert!(two.open_sealed(*who, NAME, sealed).await.unwrap().is_some());
        }
        for chunk in people.chunks(20) {
            join_all(chunk.iter().map(|it| one.destroy(*it))).await.into_iter().for_each(|it| assert!(it.unwrap()));
        }
        ground.later(ALMOST_A_SECOND);
        for (who, sealed) in people.iter().zip(&sealed) {
            assert_eq!(two.open_sealed(*who, NAME, sealed).await.unwrap(), None);
        }
    }
}

testkit::on_both_engines! {
    async fn ten_nodes_that_start_and_seal_at_once_share_every_key(db: TestDatabase) {
        let ground = Ground::on(db);
        let config = VaultConfig::default();
        let nodes: Vec<_> = join_all((0..10).map(|_| ground.try_open(&config))).await;
        let nodes: Vec<_> = nodes.into_iter().map(Result::unwrap).collect();
        assert!(nodes.iter().all(|node| node.derive("x") == nodes[0].derive("x")));
        let sealed = join_all(nodes.iter().map(|node| node.seal(person(1), NAME, b"Maria"))).await;
        let sealed: Vec<_> = sealed.into_iter().map(Result::unwrap).collect();
        for node in nodes.iter().chain([&ground.open().await]) {
            for sealed in &sealed {
                assert!(node.open_sealed(person(1), NAME, sealed).await.unwrap().is_some());
            }
        }
        let keys = std::fs::read_dir(ground.path()).unwrap().filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("master.key")
        });
        assert_eq!(keys.count(), 1, "drafts or several keys");
    }
}

testkit::on_both_engines! {
    async fn erasing_while_others_seal_and_open_never_leaves_a_key_behind(db: TestDatabase) {
        let ground = Ground::on(db);
        let nodes = [ground.open().await, ground.open().await, ground.open().await];
        for round in 0..10_u128 {
            let sealed = nodes[0].seal(person(round), NAME, b"Maria").await.unwrap();
            let (destroyed, ..) = tokio::join!(
                nodes[0].destroy(person(round)),
                nodes[1].open_sealed(person(round), NAME, &sealed),
                nodes[2].seal(person(round), NAME, b"again"),
                nodes[1].open_sealed(person(round), NAME, &sealed),
            );
            assert!(destroyed.unwrap());
            ground.later(ALMOST_A_SECOND);
            for node in &nodes {
                assert_eq!(node.open_sealed(person(round), NAME, &sealed).await.unwrap(), None);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_node_opens_nothing_for_longer_than_a_moment() {
    let postgres = Postgres::start().await;
    let url = postgres.create_database("vault").await;
    let ground = Ground::on(TestDatabase::with(DatabaseConfig::postgres(url), "vault").await);
    let vault = ground.open().await;
    let sealed = vault.seal(person(1), NAME, b"Maria").await.unwrap();
    postgres.stop().await;
    assert!(vault.open_sealed(person(1), NAME, &sealed).await.unwrap().is_some());
    ground.later(ALMOST_A_SECOND);
    let error = vault.open_sealed(person(1), NAME, &sealed).await.unwrap_err();
    assert_eq!(error.code(), "database.unavailable", "{error:?}");
    assert!(error.retry_after().is_some());
    // What needs no person's key goes on.
    vault.blind_index("identity.email", "a@example.com");
    postgres.start_again().await;
    // What the last attempt to connect came to answers for a moment longer.
    let deadline = Instant::now() + Duration::from_secs(8);
    let opened = loop {
        match vault.open_sealed(person(1), NAME, &sealed).await {
            Ok(opened) => break opened,
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(opened.is_some());
}
