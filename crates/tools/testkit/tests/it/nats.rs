use async_nats::jetstream;
use testkit::engines::Nats;

#[tokio::test]
async fn streams_survive_a_restart() {
    let server = Nats::start().await;
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let stream = jetstream::stream::Config {
        name: "ORDERS".into(),
        subjects: vec!["orders.>".into()],
        ..Default::default()
    };
    context.create_stream(stream).await.unwrap();
    context.publish("orders.placed", "one".into()).await.unwrap().await.unwrap();
    server.restart().await;
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let stream = context.get_stream("ORDERS").await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 1);
}

#[tokio::test]
async fn the_shared_server_is_one() {
    assert_eq!(Nats::shared().await.url(), Nats::shared().await.url());
}
