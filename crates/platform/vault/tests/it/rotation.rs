use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Rng;
use testkit::TestDatabase;
use vault::{MasterKey, Rotated, VaultConfig, VaultError};

use crate::support::*;

fn keys_in_file(ground: &Ground) -> Vec<MasterKey> {
    fs::read_to_string(ground.key_file()).unwrap().lines().filter_map(MasterKey::parse).collect()
}

fn texts(keys: &[MasterKey]) -> Vec<String> {
    keys.iter().map(|key| key.to_text().expose().clone()).collect()
}

testkit::on_both_engines! {
    async fn everything_opens_after_the_master_key_was_replaced(db: TestDatabase) {
        let ground = Ground::on(db);
        let config = VaultConfig { rotation_batch: 7, ..VaultConfig::default() };
        let vault = ground.try_open(&config).await.unwrap();
        let mut sealed = Vec::new();
        for number in 0..40 {
            sealed.push(vault.seal(person(number), NAME, b"Maria").await.unwrap());
        }
        vault.destroy(person(3)).await.unwrap();
        let kid = vault.signing_keys("tokens").current().await.unwrap().kid().to_owned();
        let index = vault.blind_index("identity.email", "a@example.com");
        let old = keys_in_file(&ground);

        let new = MasterKey::generate(&Rng::system());
        let rotated = vault.rotate_master(&new).await.unwrap();
        // The root, a signing key, and a data key of everybody who is left.
        assert_eq!(rotated, Rotated { rewrapped: 1 + 1 + 39, retired: 1 });
        assert_eq!(vault.resume_rotation().await.unwrap(), Rotated { rewrapped: 0, retired: 0 });
        assert_eq!(texts(&keys_in_file(&ground)), texts(std::slice::from_ref(&new)));

        for vault in [vault.clone(), ground.open().await] {
            for (number, sealed) in (0..40).zip(&sealed) {
                let opened = vault.open_sealed(person(number), NAME, sealed).await.unwrap();
                assert_eq!(opened.is_some(), number != 3);
            }
            assert_eq!(vault.signing_keys("tokens").current().await.unwrap().kid(), kid);
            assert_eq!(vault.blind_index("identity.email", "a@example.com"), index);
        }

        vault.rotate_master(&MasterKey::generate(&Rng::system())).await.unwrap();
        assert!(vault.open_sealed(person(1), NAME, &sealed[1]).await.unwrap().is_some());
        let again = vault.rotate_master(&old[0]).await;
        assert!(matches!(again, Err(VaultError::Rotation { .. })), "{again:?}");
        fs::write(ground.key_file(), old[0].to_text().expose()).unwrap();
        let error = ground.try_open(&config).await.unwrap_err();
        assert!(matches!(error, VaultError::WrongMasterKey { .. }), "{error:?}");
    }
}

testkit::on_both_engines! {
    async fn the_vault_stays_in_use_while_its_master_key_is_replaced(db: TestDatabase) {
        let ground = Ground::on(db);
        let config = VaultConfig { rotation_batch: 3, ..VaultConfig::default() };
        let vault = ground.try_open(&config).await.unwrap();
        for number in 0..100 {
            vault.seal(person(number), NAME, b"Maria").await.unwrap();
        }
        let done = Arc::new(AtomicBool::new(false));
        // Other nodes, one of which learns of the new key only from the file, seal and open all the time.
        let mut users = Vec::new();
        for user in 1..=3_u128 {
            let (node, done, clock) = (ground.open().await, done.clone(), ground.clock().clone());
            users.push(tokio::spawn(async move {
                let mut sealed = Vec::new();
                let mut number = 0;
                while !done.load(Ordering::SeqCst) || number < 20 {
                    number += 1;
                    let who = person(user * 1_000_000 + number);
                    let value = node.seal(who, NAME, b"new").await.unwrap();
                    assert!(node.open_sealed(who, NAME, &value).await.unwrap().is_some());
                    sealed.push((who, value));
                    clock.advance(std::time::Duration::from_millis(100));
                }
                sealed
            }));
        }
        vault.rotate_master(&MasterKey::generate(&Rng::system())).await.unwrap();
        done.store(true, Ordering::SeqCst);
        // A new process has the last key only, so whatever any of them made must be wrapped by it.
        let mut made = Vec::new();
        for user in users {
            made.extend(user.await.unwrap());
        }
        assert_eq!(keys_in_file(&ground).len(), 1);
        let fresh = ground.open().await;
        for (who, value) in made {
            assert_eq!(fresh.open_sealed(who, NAME, &value).await.unwrap().unwrap(), b"new");
        }
    }
}

testkit::on_both_engines! {
    async fn a_rotation_that_was_interrupted_goes_on_where_it_was(db: TestDatabase) {
        let ground = Ground::on(db);
        let config = VaultConfig { rotation_batch: 1, ..VaultConfig::default() };
        let vault = ground.try_open(&config).await.unwrap();
        let mut sealed = Vec::new();
        for number in 0..60 {
            sealed.push(vault.seal(person(number), NAME, b"Maria").await.unwrap());
        }
        let new = MasterKey::generate(&Rng::system());
        let rotation = tokio::spawn({
            let (vault, new) = (vault.clone(), new.clone());
            async move { vault.rotate_master(&new).await }
        });
        let db = ground.database().await;
        loop {
            let mut reader = db.read_primary().await.unwrap();
            let (rewrapped,): (i64,) = reader
                .fetch_one(
                    "SELECT COUNT(*) FROM vault_data_keys WHERE master_id = \
                     (SELECT id FROM vault_master_keys WHERE state = 'active') AND EXISTS \
                     (SELECT 1 FROM vault_master_keys WHERE state = 'retiring')",
                    &[],
                )
                .await
                .unwrap();
            if rewrapped >= 5 || rotation.is_finished() {
                break;
            }
        }
        rotation.abort();
        let interrupted = rotation.await.is_err();

        // In between both keys are needed, and both are in the file.
        let fresh = ground.open().await;
        assert_eq!(keys_in_file(&ground).len(), if interrupted { 2 } else { 1 });
        for (number, sealed) in (0..60).zip(&sealed) {
            assert!(fresh.open_sealed(person(number), NAME, sealed).await.unwrap().is_some());
        }
        fresh.rotate_master(&new).await.unwrap();
        assert_eq!(texts(&keys_in_file(&ground)), texts(&[new]));
        let fresh = ground.open().await;
        for (number, sealed) in (0..60).zip(&sealed) {
            assert!(fresh.open_sealed(person(number), NAME, sealed).await.unwrap().is_some());
        }
    }
}

testkit::on_both_engines! {
    async fn a_configured_key_is_replaced_by_one_that_is_configured_too(db: TestDatabase) {
        let ground = Ground::on(db);
        let (old, new) = (MasterKey::generate(&Rng::system()), MasterKey::generate(&Rng::system()));
        let only = |key: &MasterKey| VaultConfig { master_key: Some(key.to_text()), ..VaultConfig::default() };
        let vault = ground.try_open(&only(&old)).await.unwrap();
        let sealed = vault.seal(person(1), NAME, b"Maria").await.unwrap();
        let early = vault.rotate_master(&new).await;
        assert!(matches!(early, Err(VaultError::Rotation { .. })), "{early:?}");

        let both = VaultConfig { other_master_keys: vec![new.to_text()], ..only(&old) };
        let vault = ground.try_open(&both).await.unwrap();
        assert_eq!(vault.rotate_master(&new).await.unwrap().retired, 1);
        let swapped = VaultConfig { other_master_keys: vec![old.to_text()], ..only(&new) };
        for config in [both, swapped, only(&new)] {
            let vault = ground.try_open(&config).await.unwrap();
            assert!(vault.open_sealed(person(1), NAME, &sealed).await.unwrap().is_some());
        }
        let error = ground.try_open(&only(&old)).await.unwrap_err();
        assert!(matches!(error, VaultError::WrongMasterKey { .. }), "{error:?}");
    }
}

testkit::on_both_engines! {
    async fn a_rotation_does_not_begin_without_the_present_key_in_the_file(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        let kept = fs::read(ground.key_file()).unwrap();
        fs::remove_file(ground.key_file()).unwrap();
        let new = MasterKey::generate(&Rng::system());
        let refused = vault.rotate_master(&new).await;
        assert!(matches!(refused, Err(VaultError::Rotation { .. })), "{refused:?}");
        assert!(!ground.key_file().exists());
        fs::write(ground.key_file(), kept).unwrap();
        fs::set_permissions(ground.key_file(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(vault.rotate_master(&new).await.unwrap().retired, 1);
    }
}

testkit::on_both_engines! {
    async fn a_node_that_has_not_heard_of_it_wraps_nothing_by_the_old_key(db: TestDatabase) {
        let ground = Ground::on(db);
        let (one, two) = (ground.open().await, ground.open().await);
        two.seal(person(1), NAME, b"Maria").await.unwrap();
        one.rotate_master(&MasterKey::generate(&Rng::system())).await.unwrap();
        // The clock stands still, so the other node believes that it knows the present master key.
        let sealed = two.seal(person(2), NAME, b"Nina").await.unwrap();
        one.rotate_master(&MasterKey::generate(&Rng::system())).await.unwrap();
        ground.later(std::time::Duration::from_secs(1));
        two.open_sealed(person(1), NAME, &two.seal(person(1), NAME, b"Maria").await.unwrap()).await.unwrap();
        one.rotate_master(&MasterKey::generate(&Rng::system())).await.unwrap();
        let kid = two.signing_keys("tokens").current().await.unwrap().kid().to_owned();

        let fresh = ground.open().await;
        assert!(fresh.open_sealed(person(2), NAME, &sealed).await.unwrap().is_some());
        assert_eq!(fresh.signing_keys("tokens").current().await.unwrap().kid(), kid);
    }
}
