use std::fs;

use kernel::{Rng, Secret};
use testkit::TestDatabase;
use vault::{MasterKey, VaultConfig, VaultError};

use crate::support::*;

fn configured(key: &MasterKey, others: &[&MasterKey]) -> VaultConfig {
    VaultConfig {
        master_key: Some(key.to_text()),
        other_master_keys: others.iter().map(|key| key.to_text()).collect(),
        ..VaultConfig::default()
    }
}

testkit::on_both_engines! {
    async fn a_lost_master_key_is_never_replaced_by_a_new_one(db: TestDatabase) {
        let ground = Ground::on(db);
        let sealed = ground.open().await.seal(person(1), NAME, b"Maria").await.unwrap();
        let kept = fs::read(ground.key_file()).unwrap();
        fs::remove_file(ground.key_file()).unwrap();
        let error = ground.try_open(&VaultConfig::default()).await.unwrap_err();
        assert!(matches!(error, VaultError::WrongMasterKey { .. }), "{error:?}");
        assert!(!ground.key_file().exists(), "a new key would hide that the old one is missing");

        let other = configured(&MasterKey::generate(&Rng::system()), &[]);
        let error = ground.try_open(&other).await.unwrap_err();
        assert!(matches!(error, VaultError::WrongMasterKey { .. }), "{error:?}");

        let text = String::from_utf8(kept).unwrap();
        let key = text.lines().find_map(MasterKey::parse).unwrap();
        let vault = ground.try_open(&configured(&key, &[])).await.unwrap();
        assert!(vault.open_sealed(person(1), NAME, &sealed).await.unwrap().is_some());
        assert!(!ground.key_file().exists(), "a configured key needs no file");
    }
}

testkit::on_both_engines! {
    async fn machines_that_start_apart_do_not_keep_a_key_that_lost(db: TestDatabase) {
        let ground = Ground::on(db);
        let folders: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
        let config = VaultConfig::default();
        let opened =
            futures_util::future::join_all(folders.iter().map(|it| ground.try_open_in(it.path(), &config))).await;
        let mut winners = 0;
        for (folder, opened) in folders.iter().zip(opened) {
            match opened {
                Ok(_) => winners += 1,
                Err(VaultError::WrongMasterKey { .. }) => assert!(!folder.path().join("master.key").exists()),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(winners, 1);
    }
}

#[tokio::test]
async fn the_key_file_is_made_for_its_owner_only_and_refused_when_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::sqlite().await;
    ground.open().await;
    let mode = |bits| fs::set_permissions(ground.key_file(), fs::Permissions::from_mode(bits)).unwrap();
    assert_eq!(fs::metadata(ground.key_file()).unwrap().permissions().mode() & 0o777, 0o600);
    mode(0o644);
    let error = ground.try_open(&VaultConfig::default()).await.unwrap_err();
    assert!(
        matches!(error, VaultError::KeyFile { .. }) && error.to_string().contains("chmod 600"),
        "{error}"
    );
    mode(0o400);
    ground.open().await;
}

#[tokio::test]
async fn the_file_may_be_elsewhere_and_the_configuration_is_checked() {
    let ground = Ground::sqlite().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("secrets/souk.key");
    let config = VaultConfig { master_key_file: path.clone(), ..VaultConfig::default() };
    ground.try_open(&config).await.unwrap();
    assert!(path.exists() && !ground.key_file().exists());

    let bad = VaultConfig { master_key: Some(Secret::new("hunter2".to_owned())), ..VaultConfig::default() };
    let error = ground.try_open(&bad).await.unwrap_err();
    assert!(matches!(error, VaultError::Config { field: "master_key", .. }), "{error:?}");
    assert!(!format!("{error} {error:?} {bad:?}").contains("hunter2"));
}

#[test]
fn the_configuration_is_read_from_toml_and_says_which_field_is_wrong() {
    let config: VaultConfig = toml::from_str("recheck_ms = 100\n[signing]\nrecheck_s = 5\n").unwrap();
    assert_eq!((config.recheck_ms, config.signing.recheck_s, config.rotation_batch), (100, 5, 200));
    config.validate().unwrap();
    assert!(toml::from_str::<VaultConfig>("recheck = 1").is_err());
    for (text, field) in [
        ("recheck_ms = 901", "recheck_ms"),
        ("recheck_ms = 0", "recheck_ms"),
        ("rotation_batch = 0", "rotation_batch"),
        ("cached_data_keys = 0", "cached_data_keys"),
        ("master_key_file = \"\"", "master_key_file"),
        ("other_master_keys = [\"x\"]", "other_master_keys"),
        ("signing.recheck_s = 0", "signing.recheck_s"),
        ("signing.publish_before_s = 60", "signing.publish_before_s"),
        ("signing.publish_after_s = 0", "signing.publish_after_s"),
        ("signing.use_for_s = 3600", "signing.use_for_s"),
    ] {
        let error = toml::from_str::<VaultConfig>(text).unwrap().validate().unwrap_err();
        assert!(error.to_string().starts_with(&format!("vault.{field}: ")), "{text}: {error}");
    }
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let ground = Ground::sqlite().await;
    let vault = ground.open().await;
    let keys = vault.signing_keys("tokens");
    let key = keys.current().await.unwrap();
    let printed = format!("{vault:?} {keys:?} {key:?} {:?}", vault.derive("x"));
    assert_eq!(
        printed,
        format!(
            "Vault SigningKeys {{ purpose: \"tokens\", .. }} SigningKey {{ kid: \"{}\", .. }} [secret]",
            key.kid()
        )
    );
}

testkit::on_both_engines! {
    async fn every_column_is_declared(db: TestDatabase) {
        let ground = Ground::on(db);
        ground.open().await;
        let live = ground.database().await.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(vault::COLUMNS, &live), [""; 0]);
    }
}
