use contracts::identity::{AccountVerified, ImportAccount};
use contracts::import::{Mode, Verdict};
use http::StatusCode;
use kernel::{CustomerId, Secret, Timestamp};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};
use uuid::Uuid;

use crate::shop::{ADA, Call, PASSWORD, Shop, token_in};

/// Hashes as other systems write them, each with its password; `vectors/make.py` says how they were made.
const VECTORS: &str = include_str!("../vectors/hashes.tsv");

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

/// The name, the password and the text of every vector.
fn vectors() -> Vec<(&'static str, &'static str, &'static str)> {
    let columns = |line: &'static str| {
        let [name, password, text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        (name, password, text)
    };
    VECTORS.lines().filter(|line| !line.starts_with('#')).map(columns).collect()
}

async fn hashes(shop: &Shop) -> Vec<Option<String>> {
    let mut reader = shop.platform.database.read_primary().await.unwrap();
    let sql = "SELECT password_hash FROM accounts ORDER BY id";
    let rows: Vec<(Option<String>,)> = reader.fetch_all(sql, &[]).await.unwrap();
    rows.into_iter().map(|(hash,)| hash).collect()
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
        let hashes = hashes(&shop).await;
        assert!(hashes[0].as_ref().unwrap().starts_with("$argon2id$"), "made anew with our parameters and pepper");
        assert_eq!(hashes[1], None, "the password of an address that was not proved is left behind");
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

/// Whatever the old system was, its customers sign in with the password they had, and from then on they have a
/// hash like everybody else's.
#[tokio::test]
async fn hashes_of_every_sort_open_the_account_once_and_are_then_ours() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let vectors: Vec<_> = vectors().into_iter().filter(|(_, password, _)| !password.is_empty()).collect();
    let email = |number: usize| format!("customer{number}@example.com");
    let rows: Vec<_> = vectors
        .iter()
        .enumerate()
        .map(|(number, (.., text))| ImportAccount {
            password_hash: Some((*text).to_owned()),
            ..row(number as u128 + 1, &email(number))
        })
        .collect();
    let created = import(&shop, &rows, Mode::Apply).await;
    assert!(created.iter().all(|verdict| verdict == "created"), "{created:?}");
    assert_eq!(shop.service.hashes_computed(), 0, "nothing is computed to take them over");
    for (stored, (name, _, text)) in hashes(&shop).await.into_iter().zip(&vectors) {
        let (stored, digest) = (stored.unwrap(), text.rsplit('$').next().unwrap());
        assert!(stored.starts_with("$imported-") && !stored.contains(digest), "{name}: {stored}");
    }
    for (number, (name, password, _)) in vectors.iter().enumerate() {
        let from = format!("192.0.2.{number}");
        let attempt = async |password: &str| {
            let body = json!({"email": email(number), "password": password});
            shop.call(Call::post("/v1/auth/signin", body).from(&from)).await
        };
        attempt("something else").await.is(401, "identity.bad_credentials");
        assert_eq!(attempt(password).await.status, StatusCode::OK, "{name}");
        assert_eq!(attempt(password).await.status, StatusCode::OK, "{name}, for the second time");
    }
    let hashes = hashes(&shop).await;
    let ours = |hash: &Option<String>| {
        hash.as_ref().is_some_and(|hash| hash.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid="))
    };
    assert!(hashes.iter().all(ours), "{hashes:?}");
}

/// A hostile file must not be able to keep the program busy, neither now nor when somebody signs in.
#[tokio::test]
async fn hashes_that_cost_too_much_are_refused_and_never_computed() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let salt = "AQIDBAUGBwgJCgsMDQ4PEA";
    let digest = "pGdD+5rZk34fko+wL96dOI7nohZBtL1H69zMidHvWbE";
    let dear = [
        "$2b$31$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy".to_owned(),
        format!("$scrypt$ln=30,r=8,p=1${salt}${digest}"),
        format!("$scrypt$ln=10,r=8,p=100000000${salt}${digest}"),
        format!("$pbkdf2-sha256$i=4000000000${salt}${digest}"),
        format!("$argon2id$v=19$m=4194304,t=1,p=1${salt}${digest}"),
        format!("$argon2id$v=19$m=1024,t=4000000000,p=1${salt}${digest}"),
        "$P$S12345678abcdefghijklmnopqrstuv".to_owned(),
    ];
    for (number, hash) in dear.iter().enumerate() {
        let row = ImportAccount { password_hash: Some(hash.clone()), ..row(number as u128 + 1, ADA) };
        assert_eq!(import(&shop, &[row], Mode::Apply).await, ["identity.hash_too_costly"], "{hash}");
    }
    assert_eq!((shop.rows("accounts").await, shop.service.hashes_computed()), (0, 0));
}

/// Idea 3 of enumeration resistance: an address without account costs what those of accounts do, also while
/// accounts have hashes that are dearer than ours.
#[tokio::test]
async fn an_address_without_account_costs_as_much_as_one_whose_hash_was_imported() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, _, bcrypt) = vectors().into_iter().find(|(name, ..)| *name == "bcrypt").unwrap();
    let rows: Vec<_> = (1..=20)
        .map(|number| ImportAccount {
            password_hash: Some(bcrypt.to_owned()),
            ..row(number, &format!("customer{number}@example.com"))
        })
        .collect();
    import(&shop, &rows, Mode::Apply).await;
    import(&shop, &[row(100, "without@example.com")], Mode::Apply).await;
    let unproved = ImportAccount { verified: false, ..row(101, "unproved@example.com") };
    import(&shop, &[unproved], Mode::Apply).await;
    let cost = async |email: &str| {
        let before = shop.service.hashes_computed();
        shop.sign_in(email, "not the right password").await.is(401, "identity.bad_credentials");
        shop.service.hashes_computed() - before
    };
    for email in
        ["customer7@example.com", "without@example.com", "unproved@example.com", "nobody@example.com"]
    {
        assert_eq!(cost(email).await, 2, "{email}: one of theirs and one of ours");
    }
    // The neighbour's own password opens nothing for anybody else.
    let (_, password, _) = vectors().into_iter().find(|(name, ..)| *name == "bcrypt").unwrap();
    shop.sign_in("nobody@example.com", password).await.is(401, "identity.bad_credentials");
    shop.sign_in("without@example.com", password).await.is(401, "identity.bad_credentials");
    shop.sign_in("customer7@example.com", password).await.pair();
}

/// Somebody who typed a password of their own before they proved the address gets just that password.
#[tokio::test]
async fn the_work_of_a_decoy_is_the_hash_of_a_password_that_waits_for_its_proof() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, _, bcrypt) = vectors().into_iter().find(|(name, ..)| *name == "bcrypt").unwrap();
    let known = ImportAccount { password_hash: Some(bcrypt.to_owned()), ..row(1, "known@example.com") };
    import(&shop, &[known], Mode::Apply).await;
    shop.signed_up(ADA, PASSWORD).await;
    shop.advance(301);
    let typed = "rosewood for the second time";
    shop.sign_in(ADA, typed).await.is(401, "identity.bad_credentials");
    shop.service.catch_up().await.unwrap();
    let token = token_in(&shop.last_mail(ADA).await);
    shop.post("/v1/auth/verify", json!({"token": token})).await.pair();
    shop.sign_in(ADA, typed).await.pair();
}
