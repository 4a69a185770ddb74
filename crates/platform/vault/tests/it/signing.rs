use std::time::Duration;

use ed25519_dalek::{Signature, VerifyingKey};
use futures_util::future::join_all;
use testkit::TestDatabase;
use vault::{SigningConfig, SigningKey, SigningKeys, VaultConfig};

use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);

fn config() -> VaultConfig {
    let signing = SigningConfig {
        publish_before_s: 10 * 60,
        publish_after_s: 60 * 60,
        use_for_s: 24 * 60 * 60,
        recheck_s: 60,
    };
    VaultConfig { signing, ..VaultConfig::default() }
}

async fn published(keys: &SigningKeys) -> Vec<String> {
    keys.public().await.unwrap().iter().map(|key| key.kid().to_owned()).collect()
}

fn verifies(key: &SigningKey) -> bool {
    let public = VerifyingKey::from_bytes(&key.public_key()).unwrap();
    let signature = Signature::from_bytes(&key.sign(b"token"));
    public.verify_strict(b"token", &signature).is_ok()
}

testkit::on_both_engines! {
    async fn the_next_key_is_published_before_it_signs_and_the_old_one_after_it_has(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.try_open(&config()).await.unwrap();
        let node = ground.try_open(&config()).await.unwrap();
        let (keys, elsewhere) = (vault.signing_keys("tokens"), node.signing_keys("tokens"));
        let old = keys.current().await.unwrap();
        assert!(verifies(&old));
        assert_eq!(elsewhere.current().await.unwrap().kid(), old.kid());
        assert_eq!(published(&keys).await, [old.kid()]);

        let new = keys.rotate().await.unwrap();
        assert_ne!(new.kid(), old.kid());
        assert_eq!(keys.rotate().await.unwrap().kid(), new.kid(), "the next one is there already");
        assert_eq!(published(&keys).await, [old.kid(), new.kid()]);
        assert_eq!(keys.current().await.unwrap().kid(), old.kid());
        // The other node learns of it within a minute, long before it signs.
        ground.later(MINUTE);
        assert_eq!(published(&elsewhere).await, [old.kid(), new.kid()]);

        ground.later(MINUTE * 9);
        for keys in [&keys, &elsewhere] {
            let current = keys.current().await.unwrap();
            assert_eq!(current.kid(), new.kid());
            assert!(verifies(&current));
            assert_eq!(published(keys).await, [old.kid(), new.kid()]);
        }
        ground.later(MINUTE * 60);
        assert_eq!(published(&keys).await, [new.kid()]);

        // The next rotation destroys what nobody needs any more.
        let third = keys.rotate().await.unwrap();
        let mut reader = ground.database().await.read_primary().await.unwrap();
        let kids: Vec<(String,)> =
            reader.fetch_all("SELECT kid FROM vault_signing_keys ORDER BY active_from", &[]).await.unwrap();
        assert_eq!(kids, [(new.kid().to_owned(),), (third.kid().to_owned(),)]);
    }
}

testkit::on_both_engines! {
    async fn ten_nodes_that_ask_at_once_get_one_key_and_rotate_to_one(db: TestDatabase) {
        let ground = Ground::on(db);
        let config = config();
        ground.try_open(&config).await.unwrap();
        let nodes: Vec<_> = join_all((0..10).map(|_| ground.try_open(&config))).await;
        let keys: Vec<_> = nodes.into_iter().map(|node| node.unwrap().signing_keys("tokens")).collect();
        let current = join_all(keys.iter().map(SigningKeys::current)).await;
        let current: Vec<_> = current.into_iter().map(|key| key.unwrap().kid().to_owned()).collect();
        assert!(current.iter().all(|kid| *kid == current[0]), "{current:?}");
        let next = join_all(keys.iter().map(SigningKeys::rotate)).await;
        let next: Vec<_> = next.into_iter().map(|key| key.unwrap().kid().to_owned()).collect();
        assert!(next.iter().all(|kid| *kid == next[0]), "{next:?}");
    }
}

testkit::on_both_engines! {
    async fn keys_rotate_when_their_time_is_over_and_not_before(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.try_open(&config()).await.unwrap();
        let keys = vault.signing_keys("tokens");
        let first = keys.current().await.unwrap();
        keys.rotate_if_due().await.unwrap();
        assert_eq!(published(&keys).await, [first.kid()]);
        ground.later(MINUTE * (24 * 60 - 10));
        keys.rotate_if_due().await.unwrap();
        assert_eq!(published(&keys).await.len(), 2);
        assert_eq!(keys.current().await.unwrap().kid(), first.kid());
        keys.rotate_if_due().await.unwrap();
        assert_eq!(published(&keys).await.len(), 2);
        ground.later(MINUTE * 10);
        assert_ne!(keys.current().await.unwrap().kid(), first.kid());
    }
}

#[tokio::test]
async fn purposes_have_keys_of_their_own_and_the_set_is_a_jwks() {
    let ground = Ground::sqlite().await;
    let vault = ground.try_open(&config()).await.unwrap();
    let tokens = vault.signing_keys("tokens");
    let current = tokens.current().await.unwrap();
    assert_ne!(current.kid(), vault.signing_keys("internal").current().await.unwrap().kid());
    let set = tokens.jwks().await.unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    let key = &set["keys"][0];
    assert_eq!(
        (&key["kid"], &key["alg"], &key["use"]),
        (&current.kid().into(), &"EdDSA".into(), &"sig".into())
    );
    assert!(key.get("d").is_none(), "the private half is never in it");
}
