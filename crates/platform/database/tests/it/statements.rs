//! Statements and their failures mean the same on both engines.

use database::{Database, Error, Row, Sql, params};
use kernel::Fail as _;
use testkit::TestDatabase;

use crate::tables;

async fn try_execute(db: &Database, sql: &str) -> Result<u64, Error> {
    db.write(|mut tx| async move {
        let rows = tx.execute(sql, &[]).await?;
        tx.commit(rows).await
    })
    .await
}

testkit::on_both_engines! {
    async fn parameters_are_numbered_whatever_their_order(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT name FROM accounts WHERE points = $2 AND id = $1 AND id < $3 AND id = $1";
        assert_eq!(reader.fetch_all::<(String,)>(sql, &params![1, 0, 5]).await.unwrap(), [("anna".to_owned(),)]);
        assert!(reader.fetch_all::<Row>(sql, &params![1, 0]).await.is_err(), "one is missing");
        assert!(reader.fetch_all::<Row>(sql, &params![1, 0, 5, 6]).await.is_err(), "one is too many");
    }

    async fn rows_are_counted_and_returned(db: TestDatabase) {
        tables::make(&db).await;
        let insert = "INSERT INTO accounts (id, name, points) VALUES (1, 'a', 5), (2, 'b', 6), (3, 'c', 7)";
        assert_eq!(try_execute(&db, insert).await.unwrap(), 3);
        assert_eq!(try_execute(&db, "UPDATE accounts SET points = 8 WHERE points > 5").await.unwrap(), 2);
        assert_eq!(try_execute(&db, "UPDATE accounts SET points = 8 WHERE points > 50").await.unwrap(), 0);
        let returning = "UPDATE accounts SET points = points + 1 WHERE id <= 2 RETURNING id";
        assert_eq!(try_execute(&db, returning).await.unwrap(), 2);
        let points: (i64,) = db
            .write(|mut tx| async move {
                let sql = "INSERT INTO accounts (id, name, points) VALUES ($1, $2, 1) \
                           ON CONFLICT (id) DO UPDATE SET points = accounts.points + 10 RETURNING points";
                let points = tx.fetch_one(sql, &params![3, "z"]).await?;
                tx.commit(points).await
            })
            .await
            .unwrap();
        assert_eq!(points, (18,));
    }

    async fn one_row_none_and_many(db: TestDatabase) {
        tables::with_anna(&db).await;
        tables::insert(&db, 2, "bert").await.unwrap();
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT name FROM accounts WHERE id >= $1 ORDER BY id";
        assert_eq!(reader.fetch_one::<(String,)>(sql, &params![1]).await.unwrap().0, "anna");
        assert_eq!(reader.fetch_optional::<(String,)>(sql, &params![3]).await.unwrap(), None);
        assert!(matches!(reader.fetch_one::<(String,)>(sql, &params![3]).await, Err(Error::NotFound)));
        let mut names = Vec::new();
        reader.fetch_each(sql, &params![1], |(name,): (String,)| { names.push(name); Ok(()) }).await.unwrap();
        assert_eq!(names, ["anna", "bert"]);
        let stopped = reader.fetch_each(sql, &params![1], |_: Row| Err(Error::Conflict)).await;
        assert!(matches!(stopped, Err(Error::Conflict)));
        assert_eq!(reader.fetch_all::<Row>(sql, &params![1]).await.unwrap().len(), 2, "and the reader goes on");
    }

    async fn statements_put_together_at_run_time(db: TestDatabase) {
        tables::with_anna(&db).await;
        for (id, name) in [(2, "bert"), (3, "carl"), (4, "dora")] {
            tables::insert(&db, id, name).await.unwrap();
        }
        let mut reader = db.read().await.unwrap();
        let mut sql = Sql::new("SELECT name FROM accounts WHERE id IN ");
        sql.bind_list([4, 2, 9]).push(" AND points = ").bind(0).push(" ORDER BY name LIMIT ").bind(5);
        let names: Vec<(String,)> = sql.fetch_all(&mut reader).await.unwrap();
        assert_eq!(names, [("bert".to_owned(),), ("dora".to_owned(),)]);
        let mut none = Sql::new("SELECT name FROM accounts WHERE id IN ");
        none.bind_list(Vec::<i64>::new());
        assert_eq!(none.fetch_optional::<Row>(&mut reader).await.unwrap().map(|row| row.len()), None);
    }

    async fn violations_are_told_apart_and_named_alike(db: TestDatabase) {
        tables::with_anna(&db).await;
        let unique = tables::insert(&db, 2, "anna").await.unwrap_err();
        assert_eq!(unique.is_unique_violation(), Some("accounts_name_key"));
        let primary = tables::insert(&db, 1, "bert").await.unwrap_err();
        assert_eq!(primary.is_unique_violation(), Some("accounts_pkey"));
        for broken in [
            "UPDATE accounts SET points = -1",
            "INSERT INTO accounts (id, name, points) VALUES (5, 'x', NULL)",
            "INSERT INTO visits (account_id) VALUES (77)",
        ] {
            let error = try_execute(&db, broken).await.unwrap_err();
            assert!(matches!(error, Error::ConstraintViolation { .. }), "{broken}: {error:?}");
            assert_eq!(error.is_unique_violation(), None);
        }
        let mistake = try_execute(&db, "UPDATE nowhere SET x = 1").await.unwrap_err();
        assert!(matches!(mistake, Error::Engine { .. }), "{mistake:?}");
        assert_eq!(mistake.code(), "internal");
    }

    async fn a_reader_does_not_write(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut reader = db.read().await.unwrap();
        let refused = reader.execute("DELETE FROM accounts", &[]).await;
        assert!(matches!(refused, Err(Error::ReadOnly)), "{refused:?}");
        assert_eq!(tables::count(&db).await, 1);
    }

    async fn the_live_schema_can_be_listed(db: TestDatabase) {
        tables::make(&db).await;
        let columns = db.schema_columns().await.unwrap();
        let of = |table: &str| columns.iter().filter(|(name, _)| name == table).map(|(_, column)| column.as_str()).collect::<Vec<_>>();
        assert_eq!(of("accounts"), ["id", "name", "points"]);
        assert_eq!(of("visits"), ["account_id"]);
        assert_eq!(of("kinds").len(), 10);
        assert_eq!(columns.len(), 14, "and nothing of the platform or the engine: {columns:?}");
    }
}
