use database::{Database, DatabaseConfig, Due, Error, Next, params};
use kernel::{Clock, Rng, Timestamp};

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(1_700_000_000));
    let db = Database::open(&DatabaseConfig::default(), "orders", dir.path(), clock.clone(), Rng::seeded(1)).await.unwrap();
    db.write(|mut tx| async move {
        tx.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE) STRICT", &[]).await?;
        tx.execute("INSERT INTO t (id, n) VALUES ($1, $2)", &params![1, 2]).await?;
        tx.schedule(&Due { queue: "q", key: "k".into(), payload: serde_json::json!({"a": 1}), at: Timestamp::EPOCH }).await?;
        tx.commit(()).await
    })
    .await
    .unwrap();
    let rows: Vec<(i64, i64)> = db.read().await.unwrap().fetch_all("SELECT id, n FROM t", &[]).await.unwrap();
    assert_eq!(rows, [(1, 2)]);
    let error: Error = db
        .write(|mut tx| async move {
            tx.execute("INSERT INTO t (id, n) VALUES ($2, $1)", &params![2, 5]).await?;
            tx.commit(()).await
        })
        .await
        .unwrap_err();
    assert_eq!(error.is_unique_violation(), Some("t_n_key"));
    let done = db.work_once("q", |item| async move {
        assert_eq!(item.payload, serde_json::json!({"a": 1}));
        Ok(Next::Done)
    });
    assert_eq!(done.await.unwrap(), 1);
    assert_eq!(db.work_once("q", |_| async { Ok(Next::Done) }).await.unwrap(), 0);
    let index = database::search::Index::new("products");
    index.create(&db).await.unwrap();
    let id = uuid::Uuid::from_u128(5);
    db.write(|mut tx| async move {
        index.upsert(&mut tx, id, "Crème", "brûlée").await?;
        index.upsert(&mut tx, id, "Crème", "rouge mat").await?;
        tx.commit(()).await
    })
    .await
    .unwrap();
    let mut reader = db.read().await.unwrap();
    assert_eq!(index.query(&mut reader, "rouge cre", 5).await.unwrap(), [id]);
    assert!(index.query(&mut reader, "brul", 5).await.unwrap().is_empty());
    assert!(db.schema_columns().await.unwrap().contains(&("t".into(), "n".into())));
}
