use std::collections::BTreeMap;

use testkit::TestDatabase;
use vault::{Plain, Sealed, VaultError};

use crate::support::*;

testkit::on_both_engines! {
    async fn what_is_sealed_opens_for_its_person_and_context_only(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        let sealed = vault.seal(person(1), NAME, b"Maria").await.unwrap();
        assert_eq!(vault.open_sealed(person(1), NAME, &sealed).await.unwrap().unwrap(), b"Maria");
        assert!(!sealed.windows(5).any(|window| window == b"Maria"));

        vault.seal(person(2), NAME, b"Nina").await.unwrap();
        for (who, context) in [(person(2), NAME), (person(1), "customers.email"), (person(3), NAME)] {
            let refused = vault.open_sealed(who, context, &sealed).await;
            assert!(matches!(refused, Err(VaultError::Refused)), "{who} {context}: {refused:?}");
        }
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let refused = vault.open_sealed(person(1), NAME, &changed).await;
            assert!(matches!(refused, Err(VaultError::Refused)), "byte {index}: {refused:?}");
        }
        // The nil person is nobody special, and an empty value is a value.
        let empty = vault.seal(person(0), NAME, b"").await.unwrap();
        assert_eq!(vault.open_sealed(person(0), NAME, &empty).await.unwrap().unwrap(), b"");
    }
}

testkit::on_both_engines! {
    async fn an_erased_person_opens_as_nothing_everywhere(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        let address = BTreeMap::from([("city", "Porto")]);
        let sealed = vault.seal(person(1), NAME, b"Maria").await.unwrap();
        let sealed_json = vault.seal_json(person(1), "customers.address", &address).await.unwrap();
        let other = vault.seal(person(2), NAME, b"Nina").await.unwrap();
        let opened: Option<BTreeMap<String, String>> =
            vault.open_json(person(1), "customers.address", &sealed_json).await.unwrap();
        assert_eq!(opened.unwrap()["city"], "Porto");

        assert!(vault.destroy(person(1)).await.unwrap());
        assert!(!vault.destroy(person(1)).await.unwrap(), "it was destroyed before");
        for vault in [vault.clone(), ground.open().await] {
            assert_eq!(vault.open_sealed(person(1), NAME, &sealed).await.unwrap(), None);
            let opened: Option<BTreeMap<String, String>> =
                vault.open_json(person(1), "customers.address", &sealed_json).await.unwrap();
            assert_eq!(opened, None);
            let many = [
                Sealed { person: person(1), context: NAME, sealed: &sealed },
                Sealed { person: person(2), context: NAME, sealed: &other },
            ];
            assert_eq!(vault.open_many(&many).await.unwrap(), [None, Some(b"Nina".to_vec())]);
            assert!(matches!(vault.seal(person(1), NAME, b"Maria").await, Err(VaultError::Erased)));
            let many = [
                Plain { person: person(2), context: NAME, plaintext: b"x" },
                Plain { person: person(1), context: NAME, plaintext: b"x" },
            ];
            assert!(matches!(vault.seal_many(&many).await, Err(VaultError::Erased)));
        }
    }
}

testkit::on_both_engines! {
    async fn a_person_erased_before_anything_was_sealed_never_gets_a_key(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        assert!(vault.destroy(person(1)).await.unwrap());
        for vault in [vault, ground.open().await] {
            assert!(matches!(vault.seal(person(1), NAME, b"Maria").await, Err(VaultError::Erased)));
        }
    }
}

testkit::on_both_engines! {
    async fn many_values_are_sealed_and_opened_in_their_order(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        vault.seal(person(7), NAME, b"has a key already").await.unwrap();
        // More people than one statement takes, each with two values.
        let texts: Vec<(u128, String)> = (0..1_200).map(|it| (it % 600, format!("value {it}"))).collect();
        let values: Vec<Plain<'_>> = texts
            .iter()
            .map(|(who, text)| Plain { person: person(*who), context: NAME, plaintext: text.as_bytes() })
            .collect();
        let sealed = vault.seal_many(&values).await.unwrap();
        for vault in [vault, ground.open().await] {
            let wanted: Vec<Sealed<'_>> = sealed
                .iter()
                .zip(&texts)
                .map(|(sealed, (who, _))| Sealed { person: person(*who), context: NAME, sealed })
                .collect();
            let opened = vault.open_many(&wanted).await.unwrap();
            let opened: Vec<String> =
                opened.into_iter().map(|it| String::from_utf8(it.unwrap()).unwrap()).collect();
            assert_eq!(opened, texts.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>());
        }
    }
}

testkit::on_both_engines! {
    async fn a_wrapped_key_that_was_moved_to_another_person_is_refused(db: TestDatabase) {
        let ground = Ground::on(db);
        let vault = ground.open().await;
        let sealed = vault.seal(person(1), NAME, b"Maria").await.unwrap();
        vault.seal(person(2), NAME, b"Nina").await.unwrap();
        let moved = "UPDATE vault_data_keys SET key_id = (SELECT key_id FROM vault_data_keys WHERE person = $1), \
                     wrapped = (SELECT wrapped FROM vault_data_keys WHERE person = $1) WHERE person = $2";
        ground
            .database()
            .await
            .write(|mut tx| async move {
                tx.execute(moved, &database::params![person(1), person(2)]).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
        let fresh = ground.open().await;
        assert!(matches!(fresh.open_sealed(person(2), NAME, &sealed).await, Err(VaultError::Refused)));
        assert!(matches!(fresh.seal(person(2), NAME, b"x").await, Err(VaultError::Refused)));
        assert!(fresh.open_sealed(person(1), NAME, &sealed).await.unwrap().is_some());
    }
}

testkit::on_both_engines! {
    async fn indexes_and_derived_keys_are_the_same_on_every_node(db: TestDatabase) {
        let ground = Ground::on(db);
        let (one, two) = (ground.open().await, ground.open().await);
        assert_eq!(one.blind_index("identity.email", "a@example.com"), two.blind_index("identity.email", "a@example.com"));
        assert_ne!(one.blind_index("identity.email", "a@example.com"), one.blind_index("identity.phone", "a@example.com"));
        assert!(one.derive("web.cursor") == two.derive("web.cursor"));
        assert!(one.derive("web.cursor") != one.derive("web.token"));
    }
}
