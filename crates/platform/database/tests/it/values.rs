//! Every type in and out, on both engines.

use database::{Database, Error, Row, Value, params};
use kernel::{Currency, Date, EventId, OrderId, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::tables;

const COLUMNS: &str = "flag, large, medium, small, words, bytes, uid, happened_at, document";

async fn store_and_load(db: &Database, id: i64, values: [Value; 9]) -> Row {
    let values = &values;
    db.write(|mut tx| async move {
        let mut params = vec![Value::Int(id)];
        params.extend_from_slice(values);
        let sql =
            format!("INSERT INTO kinds (id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        tx.execute(&sql, &params).await?;
        tx.commit(()).await
    })
    .await
    .unwrap();
    let sql = format!("SELECT {COLUMNS} FROM kinds WHERE id = $1");
    db.read().await.unwrap().fetch_one(&sql, &params![id]).await.unwrap()
}

testkit::on_both_engines! {
    async fn every_type_comes_back_as_it_went(db: TestDatabase) {
        tables::make(&db).await;
        let mut runner = TestRunner::deterministic();
        // PostgreSQL's times end at the year 294276, and its text has no zero character.
        let kinds = (
            any::<bool>(), any::<i64>(), any::<i32>(), any::<i16>(), "[^\0]{0,40}",
            proptest::collection::vec(any::<u8>(), 0..60), any::<u128>(), -200_000_000_000_000_000..9_000_000_000_000_000_000_i64,
            "[^\0]{0,20}",
        );
        for id in 0..60 {
            let (flag, large, medium, small, words, bytes, uid, micros, text) =
                kinds.new_tree(&mut runner).unwrap().current();
            let (uid, at) = (Uuid::from_u128(uid), Timestamp::from_micros(micros));
            let document = json!({"text": text, "list": [1, null, true], "nested": {"large": large}});
            let values = params![flag, large, medium, small, &words, &bytes, uid, at, &document];
            let row = store_and_load(&db, id, values).await;
            assert_eq!(row.get::<bool>("flag").unwrap(), flag);
            assert_eq!(row.get::<i64>("large").unwrap(), large);
            assert_eq!(row.get::<i32>("medium").unwrap(), medium);
            assert_eq!(row.get::<i16>("small").unwrap(), small);
            assert_eq!(row.get::<String>("words").unwrap(), words);
            assert_eq!(row.get::<Vec<u8>>("bytes").unwrap(), bytes);
            assert_eq!(row.get::<Uuid>("uid").unwrap(), uid);
            assert_eq!(row.get::<OrderId>("uid").unwrap(), OrderId::from_uuid(uid));
            assert_eq!(row.get::<Timestamp>("happened_at").unwrap(), at);
            assert_eq!(row.get::<serde_json::Value>("document").unwrap(), document);
        }
    }

    async fn null_fits_every_type(db: TestDatabase) {
        tables::make(&db).await;
        let row = store_and_load(&db, 1, std::array::from_fn(|_| Value::Null)).await;
        assert_eq!(row.len(), 9);
        for column in 0..9 {
            assert_eq!(row.get::<Option<i64>>(column).unwrap(), None);
        }
        assert!(row.get::<i64>("large").is_err());
        assert_eq!(row.get::<Option<EventId>>("uid").unwrap(), None);
    }

    async fn dates_and_currencies_are_text(db: TestDatabase) {
        tables::make(&db).await;
        let (day, euro): (Date, Currency) = ("1997-01-02".parse().unwrap(), "EUR".parse().unwrap());
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT CAST($1 AS TEXT), CAST($2 AS TEXT)";
        let read: (Date, Currency) = reader.fetch_one(sql, &params![day, euro]).await.unwrap();
        assert_eq!(read, (day, euro));
    }

    async fn sums_and_counts_are_whole_numbers(db: TestDatabase) {
        tables::make(&db).await;
        for (id, large) in [(1, i64::MAX - 10), (2, 7), (3, -5)] {
            let values = params![true, large, 20_000 * id, id, "", "".as_bytes(), Uuid::nil(), Timestamp::EPOCH, json!(null)];
            store_and_load(&db, id, values).await;
        }
        let mut reader = db.read().await.unwrap();
        let sums: (i64, i64, i64, i64) = reader
            .fetch_one("SELECT SUM(large), SUM(medium), SUM(small), COUNT(*) FROM kinds", &[])
            .await
            .unwrap();
        assert_eq!(sums, (i64::MAX - 8, 120_000, 6, 3));
        // A parameter that meets a sum.
        let sql = "SELECT flag FROM kinds GROUP BY flag HAVING SUM(large) > $1 AND SUM(medium) = $2";
        let found: Vec<(bool,)> = reader.fetch_all(sql, &params![i64::MAX - 9, 120_000]).await.unwrap();
        assert_eq!(found, [(true,)]);
        let none: (Option<i64>,) = reader.fetch_one("SELECT SUM(large) FROM kinds WHERE id > $1", &params![9]).await.unwrap();
        assert_eq!(none, (None,));
    }

    async fn a_boolean_is_compared_with_a_parameter(db: TestDatabase) {
        tables::make(&db).await;
        for (id, flag) in [(1, true), (2, false)] {
            let mut values = std::array::from_fn(|_| Value::Null);
            values[0] = flag.into();
            store_and_load(&db, id, values).await;
        }
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT id FROM kinds WHERE flag = $1";
        assert_eq!(reader.fetch_all::<(i64,)>(sql, &params![false]).await.unwrap(), [(2,)]);
    }

    async fn times_compare_in_sql(db: TestDatabase) {
        tables::make(&db).await;
        let now = db.clock().now();
        let mut values = std::array::from_fn(|_| Value::Null);
        values[7] = now.into();
        store_and_load(&db, 1, values).await;
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT id FROM kinds WHERE happened_at <= $1 AND happened_at > $2";
        let second = std::time::Duration::from_secs(1);
        assert_eq!(reader.fetch_all::<(i64,)>(sql, &params![now, now.minus(second)]).await.unwrap(), [(1,)]);
        assert!(reader.fetch_all::<(i64,)>(sql, &params![now.minus(second), now]).await.unwrap().is_empty());
    }

    async fn what_is_not_a_shared_type_is_an_error(db: TestDatabase) {
        let mut reader = db.read().await.unwrap();
        let fraction = reader.fetch_one::<Row>("SELECT 1.5", &[]).await;
        assert!(matches!(fraction, Err(Error::Type { .. })), "{fraction:?}");
        let wrong = reader.fetch_one::<(i64,)>("SELECT 'seven'", &[]).await;
        assert!(matches!(wrong, Err(Error::Type { .. })), "{wrong:?}");
    }
}
