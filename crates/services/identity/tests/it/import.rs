use contracts::identity::{AccountVerified, ImportAccount};
use contracts::import::{Mode, Verdict};
use kernel::{CustomerId, Secret, Timestamp};
use testkit::{TestDatabase, on_both_engines};
use uuid::Uuid;

use crate::shop::{ADA, PASSWORD, Shop};

/// What the reference implementation makes of `password` (`argon2 -id -t 2 -m 12 -p 1`).
fn row(number: u128, email: &str) -> ImportAccount {
    ImportAccount {
        customer_id: CustomerId::from_uuid(Uuid::from_u128(number)),
        email: email.to_owned(),
        verified: true,
        password_hash: None,
        created_at: Timestamp::from_seconds(852_076_800),
    }
}

fn code(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Refused { code, .. } => code,
        Verdict::Created => "created",
        Verdict::Updated => "updated",
        Verdict::Unchanged => "unchanged",
    }
}

async fn import(shop: &Shop, rows: &[ImportAccount], mode: Mode) -> Vec<String> {
    let verdicts = shop.service.import_accounts(rows.to_vec(), mode).await.unwrap();
    verdicts.iter().map(|verdict| code(verdict).to_owned()).collect()
}

on_both_engines! {
    async fn accounts_are_taken_over_once_and_bad_rows_are_named(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        // A hash as an old system may have made it: without our pepper, with its own parameters.
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let rows = [
            ImportAccount { password_hash: Some(hash.into()), ..row(1, ADA) },
            row(2, "nobody"),
            row(3, "ADA@example.com"),
            ImportAccount { password_hash: Some("$2b$12$x".into()), ..row(4, "dan@example.com") },
            ImportAccount { verified: false, password_hash: Some(hash.into()), ..row(5, "eve@example.com") },
            row(1, ADA),
        ];
        let expected = [
            "created",
            "identity.address_invalid",
            "identity.address_taken",
            "identity.hash_unsupported",
            "created",
            "unchanged",
        ];
        assert_eq!(import(&shop, &rows, Mode::DryRun).await, expected);
        assert_eq!(shop.rows("accounts").await, 0);
        assert_eq!(import(&shop, &rows, Mode::Apply).await, expected);
        assert_eq!(shop.rows("accounts").await, 2);
        let again = import(&shop, &rows, Mode::Apply).await;
        assert_eq!((again[0].as_str(), again[4].as_str()), ("unchanged", "unchanged"));
        assert_eq!(import(&shop, &[row(1, "new@example.com")], Mode::Apply).await, ["identity.address_differs"]);
        assert_eq!(import(&shop, &[row(5, "eve@example.com")], Mode::Apply).await, ["updated"]);

        let pair = shop.sign_in(ADA, "password").await.pair();
        assert_eq!(shop.claims(&pair).await.sub, rows[0].customer_id.to_string());
        let mut reader = shop.platform.database.read_primary().await.unwrap();
        let sql = "SELECT password_hash FROM accounts ORDER BY id";
        let hashes: Vec<(Option<String>,)> = reader.fetch_all(sql, &[]).await.unwrap();
        assert!(hashes[0].0.as_ref().unwrap().contains("keyid="), "made anew with our parameters and pepper");
        assert_eq!(hashes[1].0, None, "the password of an address that was not proved is left behind");
        let emails = [ADA.to_owned(), "who@example.com".into(), "nonsense".into(), " EVE@example.com".into()];
        let found = shop.service.accounts_by_email(&emails).await.unwrap();
        assert_eq!(found, [Some(rows[0].customer_id), None, None, Some(rows[4].customer_id)]);
        assert!(shop.events::<AccountVerified>().await.is_empty(), "the importer tells customers itself");
    }

    async fn thousands_are_taken_over_in_batches_without_hashing(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let rows: Vec<_> = (1..=1_203).map(|number| row(number, &format!("c{number}@example.com"))).collect();
        let created = import(&shop, &rows, Mode::Apply).await;
        assert!(created.iter().all(|verdict| verdict == "created"));
        assert_eq!(shop.rows("accounts").await, 1_203);
        assert_eq!(shop.service.hashes_computed(), 0);
        let again = import(&shop, &rows, Mode::Apply).await;
        assert!(again.iter().all(|verdict| verdict == "unchanged"));
    }

    async fn a_demonstrations_shopper_signs_in_with_the_password_that_was_given(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        import(&shop, &[row(1, ADA)], Mode::Apply).await;
        let password = Secret::new(PASSWORD.to_owned());
        let known = shop.service.ensure_account(ADA, &password).await.unwrap();
        assert_eq!(known.uuid(), Uuid::from_u128(1));
        let new = shop.service.ensure_account("noor@example.com", &password).await.unwrap();
        assert_eq!(shop.service.ensure_account("noor@example.com", &password).await.unwrap(), new);
        let verified: Vec<_> = shop.events::<AccountVerified>().await.into_iter().map(|e| e.customer_id).collect();
        assert_eq!(verified, [new], "told once, and only of who is new");
        for email in [ADA, "noor@example.com"] {
            shop.sign_in(email, PASSWORD).await.pair();
        }
        shop.service.add_staff("grace@example.com", &[web::Role::Catalog], None).await.unwrap();
        assert!(shop.service.ensure_account("grace@example.com", &password).await.is_err());
    }
}
