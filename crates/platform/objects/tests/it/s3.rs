//! What only a server that can go away, or refuse, can show.

use std::time::{Duration, Instant};

use kernel::{Fail, FailureKind};
use objects::{Objects, ObjectsConfig, S3Config};
use testkit::engines;

use crate::{collect, eventually, s3_config};

#[tokio::test]
async fn calls_fail_in_time_while_the_server_is_away_and_work_when_it_is_back() {
    let server = engines::S3::start().await;
    let config = S3Config { timeout_ms: 10_000, ..s3_config(&server).await };
    let objects = Objects::open(&ObjectsConfig::S3(config)).unwrap();
    objects.put("file", "kept", "x/y").await.unwrap();

    server.stop().await;
    let before = Instant::now();
    for error in [
        objects.ping().await.unwrap_err(),
        objects.head("file").await.unwrap_err(),
        objects.put("file", "lost", "x/y").await.unwrap_err(),
        objects.delete("file").await.unwrap_err(),
    ] {
        assert_eq!((error.code(), error.kind()), ("objects.unavailable", FailureKind::Unavailable));
        assert!(error.retry_after().is_some());
        assert!(!error.to_string().contains("127.0.0.1"), "an error does not print its source");
    }
    assert!(before.elapsed() < Duration::from_secs(60), "five requests of ten seconds at most");

    server.start_again().await;
    let (_, content) = eventually("the server is back", async || objects.get("file").await.ok()).await;
    assert_eq!(collect(content).await.unwrap(), b"kept");
}

#[tokio::test]
async fn a_wrong_secret_and_a_missing_bucket_are_misconfigurations() {
    let config = s3_config(engines::S3::shared().await).await;
    let stranger = S3Config { secret_access_key: String::from("wrong").into(), ..config.clone() };
    let elsewhere = S3Config { bucket: "no-such-bucket".into(), ..config };
    for config in [stranger, elsewhere] {
        let error = Objects::s3(&config).unwrap().ping().await.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("objects.misconfigured", FailureKind::Internal),
            "{error:?}"
        );
    }
}
