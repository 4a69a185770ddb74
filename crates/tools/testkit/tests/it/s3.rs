use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};
use testkit::engines::S3;

fn bucket(server: &S3, name: &str, secret: &str) -> AmazonS3 {
    // Whoever installs it first wins, and all install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_region(server.region())
        .with_access_key_id(server.access_key_id())
        .with_secret_access_key(secret)
        .with_bucket_name(name)
        .build()
        .unwrap()
}

#[tokio::test]
async fn objects_survive_a_restart() {
    let server = S3::start().await;
    server.create_bucket("pictures").await;
    let path = Path::from("a/picture.svg");
    let store = bucket(&server, "pictures", server.secret_access_key());
    store.put(&path, "one".into()).await.unwrap();
    server.restart().await;
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "one");
}

#[tokio::test]
async fn signatures_and_conditions_are_checked() {
    let server = S3::shared().await;
    server.create_bucket("conditions").await;
    let path = Path::from("picture.svg");
    let store = bucket(server, "conditions", server.secret_access_key());
    store.put_opts(&path, "one".into(), PutMode::Create.into()).await.unwrap();
    let again = store.put_opts(&path, "two".into(), PutMode::Create.into()).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");

    let stranger = bucket(server, "conditions", "wrong");
    let refused = stranger.get(&path).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
}
