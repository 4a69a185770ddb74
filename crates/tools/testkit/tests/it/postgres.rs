use testkit::engines::{Postgres, PostgresOptions, Replica};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(url: &str, table: &str) -> i64 {
    connect(url).await.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn databases_of_the_shared_server_are_apart() {
    let server = Postgres::shared().await;
    let (one, other) = (server.create_database("orders").await, server.create_database("orders").await);
    connect(&one).await.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(count(&one, "t").await, 1);
    assert!(connect(&other).await.query("SELECT n FROM t", &[]).await.is_err());
}

#[tokio::test]
async fn data_survives_a_restart() {
    let server = Postgres::start_with(PostgresOptions { fsync: true, replica: Replica::None }).await;
    connect(&server.url())
        .await
        .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    server.stop().await;
    assert!(tokio_postgres::connect(&server.url(), NoTls).await.is_err(), "a stopped server answers");
    server.start_again().await;
    assert_eq!(count(&server.url(), "t").await, 1);
    let fsync: String = connect(&server.url()).await.query_one("SHOW fsync", &[]).await.unwrap().get(0);
    assert_eq!(fsync, "on");
}

#[tokio::test]
async fn a_replica_follows_and_can_be_held_back() {
    let server = Postgres::start_with_replica().await;
    let url = server.create_database("orders").await;
    let primary = connect(&url).await;
    primary.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    server.replica_caught_up().await;
    assert!(connect(&server.on_replica(&url)).await.execute("INSERT INTO t VALUES (1)", &[]).await.is_err());

    server.pause_replica().await;
    primary.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(count(&server.on_replica(&url), "t").await, 0);
    server.resume_replica().await;
    server.replica_caught_up().await;
    assert_eq!(count(&server.on_replica(&url), "t").await, 1);
}

#[tokio::test]
async fn a_synchronous_replica_takes_over_with_every_commit() {
    let server = Postgres::start_with(PostgresOptions { fsync: false, replica: Replica::Synchronous }).await;
    let primary = connect(&server.url()).await;
    primary.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    for _ in 0..10 {
        primary.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    }
    server.kill().await;
    server.promote_replica().await;
    assert_eq!(count(&server.url(), "t").await, 10);
    connect(&server.url()).await.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();

    // The other way round, with the server that died.
    server.rejoin().await;
    connect(&server.url()).await.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    server.kill().await;
    server.promote_replica().await;
    assert_eq!(count(&server.url(), "t").await, 12);
}
