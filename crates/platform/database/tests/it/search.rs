//! Text search finds the same on both engines.

use database::search::Index;
use database::{Database, Error};
use testkit::TestDatabase;
use uuid::Uuid;

const INDEX: Index = Index::new("products");

const PRODUCTS: [(&str, &str); 6] = [
    ("Velvet Matte Lipstick", "A long-lasting red. Shades: Rouge, Cerise."),
    ("Crème Brûlée Body Butter", "Shea and vanilla, 200ml, for dry skin."),
    ("Lip Balm", "Soothes; velvet feel."),
    ("Straßenstaub Reiniger", "Der Reiniger für müde Haut"),
    ("Vitamin C Serum 30ml", "Brightens dull skin"),
    ("L'Eau d'été", "Eau de toilette; don't spill."),
];

async fn filled(db: &Database) {
    INDEX.create(db).await.unwrap();
    INDEX.create(db).await.unwrap();
    for (number, (title, body)) in (0..).zip(PRODUCTS) {
        put(db, number, title, body).await;
    }
}

async fn put(db: &Database, number: u128, title: &str, body: &str) {
    let put: Result<(), Error> = db
        .write(|mut tx| async move {
            INDEX.upsert(&mut tx, Uuid::from_u128(number), title, body).await?;
            tx.commit(()).await
        })
        .await;
    put.unwrap();
}

async fn find(db: &Database, text: &str) -> Vec<u128> {
    let mut reader = db.read().await.unwrap();
    let found = INDEX.query(&mut reader, text, 10).await.unwrap();
    found.iter().map(Uuid::as_u128).collect()
}

testkit::on_both_engines! {
    async fn words_prefixes_and_accents(db: TestDatabase) {
        filled(&db).await;
        for (text, expected) in [
            ("lipstick", vec![0]),
            ("LIPST", vec![0]),
            ("creme brulee", vec![1]),
            ("brûl", vec![1]),
            ("strassenstaub", vec![3]),
            ("mude", vec![3]),
            ("30ml", vec![4]),
            ("ete", vec![5]),
            ("red rouge", vec![0]),
            ("red vanilla", vec![]),
            ("lipst matte", vec![]),
            ("nothing", vec![]),
            ("", vec![]),
            ("' \" & | ! * : ( )", vec![]),
            ("lipstick' OR 'x", vec![]),
        ] {
            assert_eq!(find(&db, text).await, expected, "{text:?}");
        }
    }

    async fn a_word_in_the_title_counts_more(db: TestDatabase) {
        filled(&db).await;
        assert_eq!(find(&db, "velvet").await, [0, 2]);
        assert_eq!(find(&db, "lip").await.len(), 2);
        let mut reader = db.read().await.unwrap();
        assert_eq!(INDEX.query(&mut reader, "velvet", 1).await.unwrap(), [Uuid::from_u128(0)]);
    }

    async fn changes_and_removals_are_followed(db: TestDatabase) {
        filled(&db).await;
        put(&db, 0, "Velvet Gloss", "clear").await;
        assert_eq!(find(&db, "lipstick").await, Vec::<u128>::new());
        assert_eq!(find(&db, "gloss").await, [0]);
        let removed: Result<(), Error> = db
            .write(|mut tx| async move {
                INDEX.remove(&mut tx, Uuid::from_u128(0)).await?;
                INDEX.remove(&mut tx, Uuid::from_u128(99)).await?;
                tx.commit(()).await
            })
            .await;
        removed.unwrap();
        assert_eq!(find(&db, "velvet").await, [2]);
        assert!(db.schema_columns().await.unwrap().is_empty(), "the index is the platform's own");
    }

    async fn long_texts_are_cut_and_not_refused(db: TestDatabase) {
        INDEX.create(&db).await.unwrap();
        let long = "word ".repeat(50_000) + &"x".repeat(10_000);
        put(&db, 1, &"y".repeat(10_000), &long).await;
        assert_eq!(find(&db, "word").await, [1]);
        assert_eq!(find(&db, &"y".repeat(10_000)).await, [1]);
    }
}
