//! One suite over both engines, and what only one of them can show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod folder;
mod s3;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use objects::{Content, Objects, ObjectsError, S3Config};
use testkit::engines;

/// An empty store, and what lies in it as others see it.
struct Subject {
    objects: Objects,
    raw: Arc<dyn ObjectStore>,
    _folder: Option<tempfile::TempDir>,
}

impl Subject {
    async fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::folder(folder.path()).unwrap();
        let raw = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        Self { objects, raw: Arc::new(raw), _folder: Some(folder) }
    }

    async fn s3() -> Self {
        let config = s3_config(engines::S3::shared().await).await;
        let raw = AmazonS3Builder::new()
            .with_endpoint(config.endpoint.as_deref().unwrap())
            .with_allow_http(true)
            .with_region(&config.region)
            .with_bucket_name(&config.bucket)
            .with_access_key_id(&config.access_key_id)
            .with_secret_access_key(config.secret_access_key.expose())
            .build()
            .unwrap();
        Self { objects: Objects::s3(&config).unwrap(), raw: Arc::new(raw), _folder: None }
    }
}

/// A new bucket of `server`.
async fn s3_config(server: &engines::S3) -> S3Config {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    // It fails when another test came first, and then it is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
    server.create_bucket(&bucket).await;
    S3Config {
        endpoint: Some(server.endpoint()),
        bucket,
        region: server.region().to_owned(),
        access_key_id: server.access_key_id().to_owned(),
        secret_access_key: server.secret_access_key().to_owned().into(),
        path_style: true,
        allow_http: true,
        connect_timeout_ms: 5_000,
        timeout_ms: 30_000,
        retries: 3,
    }
}

/// Bytes that differ from place to place.
fn pattern(size: usize) -> Bytes {
    (0..size).map(|at| (at % 251) as u8 ^ (at >> 16) as u8).collect()
}

async fn collect(content: Content) -> Result<Vec<u8>, ObjectsError> {
    content
        .try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

/// Asks again until `probe` answers, or fails the test after ten seconds.
async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = probe().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asking)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::conformance::$test(crate::Subject::folder().await).await;
            })*
        }
        mod on_s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::conformance::$test(crate::Subject::s3().await).await;
            })*
        }
    };
}

on_both_engines! {
    answers_a_ping
    gives_back_what_was_put
    a_large_stream_arrives_in_parts
    the_object_lies_under_its_own_key
    ranges_are_cut_to_the_byte
    a_put_replaces_and_leaves_nothing_behind
    of_many_at_once_one_is_first
    a_stream_that_fails_leaves_nothing
    a_stream_that_is_too_long_leaves_nothing
    an_upload_that_is_dropped_leaves_nothing
    a_flipped_byte_is_never_served
    a_cut_object_is_damaged
    an_object_that_is_not_ours_is_damaged
    lists_what_lies_below_a_prefix
    an_absent_object_is_not_found
    keys_that_lead_elsewhere_are_refused
    media_types_that_are_none_are_refused
}
