use redis::AsyncCommands;
use testkit::engines::Redis;

async fn connect(server: &Redis) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    redis::Client::open(server.url())?.get_multiplexed_async_connection().await
}

#[tokio::test]
async fn data_survives_a_stop() {
    let server = Redis::start().await;
    let () = connect(&server).await.unwrap().set("colour", "coral").await.unwrap();
    server.stop().await;
    assert!(connect(&server).await.is_err(), "a stopped server answers");
    server.start_again().await;
    let colour: String = connect(&server).await.unwrap().get("colour").await.unwrap();
    assert_eq!(colour, "coral");
}

#[tokio::test]
async fn servers_are_apart() {
    let (one, other) = (Redis::start().await, Redis::start().await);
    let () = connect(&one).await.unwrap().set("colour", "coral").await.unwrap();
    let colour: Option<String> = connect(&other).await.unwrap().get("colour").await.unwrap();
    assert_eq!(colour, None);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_hurry_the_wait() {
    let server = Redis::start().await;
    server.restart().await;
    let address = server.url().replace("redis://", "");
    assert!(std::net::TcpStream::connect(address).is_ok());
}
