//! What every engine must do, as functions of one subject.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::{Fail, FailureKind, Timestamp};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutOptions};
use objects::{Checksum, MAX_OBJECT_BYTES, Objects, ObjectsError};

use crate::{Subject, collect, eventually, pattern};

const MIB: usize = 1 << 20;

async fn read(objects: &Objects, key: &str) -> Result<Vec<u8>, ObjectsError> {
    collect(objects.get(key).await?.1).await
}

async fn keys(objects: &Objects, prefix: &str) -> Vec<String> {
    let entries: Vec<_> = objects.list(prefix).unwrap().try_collect().await.unwrap();
    let mut keys: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
    keys.sort();
    keys
}

/// Everything that lies in the store, our own records included.
async fn everything(raw: &dyn ObjectStore) -> Vec<String> {
    let mut all: Vec<_> =
        raw.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    all.sort();
    all
}

/// Changes the stored bytes behind our back and keeps all that is said about them.
async fn tamper(raw: &dyn ObjectStore, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = Path::from(key);
    let found = raw.get_opts(&path, GetOptions::default()).await.unwrap();
    let attributes = found.attributes.clone();
    let mut bytes = found.bytes().await.unwrap().to_vec();
    change(&mut bytes);
    raw.put_opts(&path, bytes.into(), PutOptions { attributes, ..PutOptions::default() }).await.unwrap();
}

pub(crate) async fn answers_a_ping(subject: Subject) {
    subject.objects.ping().await.unwrap();
}

pub(crate) async fn gives_back_what_was_put(subject: Subject) {
    let objects = &subject.objects;
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1] {
        let (key, bytes) = (format!("sizes/{size}"), pattern(size));
        let put = objects.put(&key, bytes.clone(), "image/svg+xml; charset=utf-8").await.unwrap();
        assert_eq!((put.key.as_str(), put.size), (key.as_str(), size as u64));
        assert_eq!(put.content_type, "image/svg+xml; charset=utf-8");
        assert_eq!(put.sha256, Checksum::of(&bytes));
        assert_eq!(objects.head(&key).await.unwrap(), put);
        let (meta, content) = objects.get(&key).await.unwrap();
        assert_eq!(meta, put);
        assert!(collect(content).await.unwrap() == bytes, "{size} bytes came back otherwise");
    }
}

pub(crate) async fn a_large_stream_arrives_in_parts(subject: Subject) {
    let objects = &subject.objects;
    let bytes = pattern(20 * MIB + 12_345);
    let chunks = bytes.chunks(100_003).map(|chunk| Ok::<_, Infallible>(bytes.slice_ref(chunk)));
    let chunks: Vec<_> = chunks.collect();
    let put =
        objects.put_stream("export.csv", stream::iter(chunks), "text/csv", bytes.len() as u64).await.unwrap();
    assert_eq!((put.size, put.sha256), (bytes.len() as u64, Checksum::of(&bytes)));
    assert_eq!(objects.head("export.csv").await.unwrap(), put);

    let (_, mut content) = objects.get("export.csv").await.unwrap();
    let mut read = 0;
    while let Some(chunk) = content.try_next().await.unwrap() {
        assert!(chunk.len() <= MIB, "a reader holds one block at a time");
        assert!(chunk == bytes[read..read + chunk.len()]);
        read += chunk.len();
    }
    assert_eq!(read, bytes.len());
}

pub(crate) async fn the_object_lies_under_its_own_key(subject: Subject) {
    for size in [100, 2 * MIB, 9 * MIB] {
        let bytes = pattern(size);
        subject.objects.put("archive/day=1/part.parquet", bytes.clone(), "application/x").await.unwrap();
        let raw = subject.raw.get(&Path::from("archive/day=1/part.parquet")).await.unwrap();
        assert!(raw.bytes().await.unwrap() == bytes);
    }
}

pub(crate) async fn ranges_are_cut_to_the_byte(subject: Subject) {
    let objects = &subject.objects;
    let bytes = pattern(9 * MIB + 7);
    let meta = objects.put("large", bytes.clone(), "a/b").await.unwrap();
    objects.put("small", bytes.slice(..10), "a/b").await.unwrap();
    objects.put("empty", Bytes::new(), "a/b").await.unwrap();
    let end = bytes.len();
    for (from, to) in
        [(0, 1), (5, MIB), (MIB - 1, MIB + 1), (MIB, 2 * MIB), (3, end), (end - 1, end), (9 * MIB, end)]
    {
        let (found, content) = objects.get_range("large", from as u64..to as u64).await.unwrap();
        assert_eq!(found, meta);
        assert!(collect(content).await.unwrap() == bytes[from..to], "{from}..{to}");
    }
    let (_, content) = objects.get_range("large", end as u64 - 3..u64::MAX).await.unwrap();
    assert!(collect(content).await.unwrap() == bytes[end - 3..]);
    let (_, content) = objects.get_range("small", 2..5).await.unwrap();
    assert!(collect(content).await.unwrap() == bytes[2..5]);

    let size = end as u64;
    #[allow(clippy::reversed_empty_ranges)]
    for (key, range, size) in [
        ("large", size..size + 1, size),
        ("large", size + 50_000_000..size + 50_000_001, size),
        ("large", 5..5, size),
        ("large", 5..4, size),
        ("small", 10..11, 10),
        ("small", 2_000_000..2_000_001, 10),
        ("empty", 0..1, 0),
    ] {
        let error = objects.get_range(key, range.clone()).await.err().expect("there are no such bytes");
        let ObjectsError::OutOfRange { size: told } = error else { panic!("{key} {range:?}: {error:?}") };
        assert_eq!(told, size);
    }
    let error = objects.get_range("absent", 0..1).await.err().expect("there is no such object");
    assert_eq!(error.code(), "objects.not_found");
}

pub(crate) async fn a_put_replaces_and_leaves_nothing_behind(subject: Subject) {
    let objects = &subject.objects;
    for size in [10, 2 * MIB, 9 * MIB, 3 * MIB, 20, 0] {
        let bytes = pattern(size);
        let put = objects.put("a/b", bytes.clone(), &format!("x/size-{size}")).await.unwrap();
        assert_eq!(objects.head("a/b").await.unwrap(), put);
        assert!(read(objects, "a/b").await.unwrap() == bytes);
        let all = everything(&*subject.raw).await;
        assert!(all.len() <= 2, "the object and its record: {all:?}");
    }
    for size in [10, 2 * MIB] {
        objects.put("a/b", pattern(size), "x/y").await.unwrap();
        objects.delete("a/b").await.unwrap();
        objects.delete("a/b").await.unwrap();
        assert_eq!(objects.head("a/b").await.unwrap_err().code(), "objects.not_found");
        assert_eq!(everything(&*subject.raw).await, [""; 0]);
    }
}

pub(crate) async fn of_many_at_once_one_is_first(subject: Subject) {
    for size in [100, 2 * MIB] {
        let key = format!("lock-{size}");
        let attempts = (0..8_u8).map(|number| {
            let (objects, key) = (subject.objects.clone(), key.clone());
            tokio::spawn(async move {
                match objects.put_if_absent(&key, vec![number; size], "x/y").await {
                    Ok(meta) => Some(meta.sha256),
                    Err(ObjectsError::AlreadyExists { .. }) => None,
                    Err(error) => panic!("{error:?}"),
                }
            })
        });
        let mut winners = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            winners.extend(attempt.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(Checksum::of(&read(&subject.objects, &key).await.unwrap()), winners[0]);
        let error = subject.objects.put_if_absent(&key, "late", "x/y").await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("objects.already_exists", FailureKind::Conflict));
        subject.objects.delete(&key).await.unwrap();
    }
    assert_eq!(everything(&*subject.raw).await, [""; 0]);
}

/// The stream fails before the first part is sent, and after it.
pub(crate) async fn a_stream_that_fails_leaves_nothing(subject: Subject) {
    let objects = &subject.objects;
    for good_chunks in [1, 10] {
        let chunks = (0..good_chunks).map(|_| Ok(pattern(MIB))).chain([Err("the line went dead")]);
        let chunks: Vec<_> = chunks.collect();
        let failing = || stream::iter(chunks.clone());
        let error = objects.put_stream("video", failing(), "x/y", MAX_OBJECT_BYTES).await.unwrap_err();
        assert_eq!(error.code(), "objects.interrupted");
        assert!(!error.to_string().contains("went dead"), "an error does not print its source");
        assert_eq!(objects.head("video").await.unwrap_err().code(), "objects.not_found");
        assert_eq!(everything(&*subject.raw).await, [""; 0]);

        objects.put("video", "the version before", "x/y").await.unwrap();
        objects.put_stream("video", failing(), "x/y", MAX_OBJECT_BYTES).await.unwrap_err();
        assert_eq!(read(objects, "video").await.unwrap(), b"the version before");
        objects.delete("video").await.unwrap();
    }
}

pub(crate) async fn a_stream_that_is_too_long_leaves_nothing(subject: Subject) {
    for (size, limit) in [(11, 10), (9 * MIB + 1, 9 * MIB)] {
        let chunks = [Ok::<_, Infallible>(pattern(size - 1)), Ok(pattern(1))];
        let done = subject.objects.put_stream("upload", stream::iter(chunks), "x/y", limit as u64).await;
        let error = done.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("objects.too_large", FailureKind::TooLarge));
        assert_eq!(everything(&*subject.raw).await, [""; 0]);
    }
}

pub(crate) async fn an_upload_that_is_dropped_leaves_nothing(subject: Subject) {
    let objects = subject.objects.clone();
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    let content =
        stream::iter((0..10).map(|_| Ok::<_, Infallible>(pattern(MIB)))).chain(stream::once(async move {
            asked.send(()).unwrap();
            std::future::pending().await
        }));
    let uploading =
        tokio::spawn(async move { objects.put_stream("upload", content, "x/y", MAX_OBJECT_BYTES).await });
    was_asked.recv().await.unwrap();
    uploading.abort();
    assert!(uploading.await.unwrap_err().is_cancelled());
    assert_eq!(subject.objects.head("upload").await.unwrap_err().code(), "objects.not_found");
    eventually("nothing is left", async || everything(&*subject.raw).await.is_empty().then_some(())).await;
}

pub(crate) async fn a_flipped_byte_is_never_served(subject: Subject) {
    let objects = &subject.objects;
    let bytes = pattern(9 * MIB + 5);
    for flipped in [0, MIB - 1, MIB, 5 * MIB + 9, bytes.len() - 1] {
        objects.put("picture", bytes.clone(), "x/y").await.unwrap();
        tamper(&*subject.raw, "picture", |bytes| bytes[flipped] ^= 1).await;
        let mut served = Vec::new();
        let (_, mut content) = objects.get("picture").await.unwrap();
        let error = loop {
            match content.next().await.expect("it must not end well") {
                Ok(chunk) => served.extend_from_slice(&chunk),
                Err(error) => break error,
            }
        };
        assert_eq!((error.code(), error.kind()), ("objects.damaged", FailureKind::Internal));
        assert!(served.len() <= flipped && served == bytes[..served.len()], "what came before is genuine");

        let at = flipped as u64;
        let (_, content) = objects.get_range("picture", at..at + 1).await.unwrap();
        assert_eq!(collect(content).await.unwrap_err().code(), "objects.damaged");
        let elsewhere = if flipped < 2 * MIB { 3 * MIB } else { MIB };
        let (_, content) =
            objects.get_range("picture", elsewhere as u64..elsewhere as u64 + 9).await.unwrap();
        assert!(collect(content).await.unwrap() == bytes[elsewhere..elsewhere + 9], "other blocks are whole");
    }
    objects.put("small", "genuine", "x/y").await.unwrap();
    tamper(&*subject.raw, "small", |bytes| bytes[3] ^= 0x20).await;
    assert_eq!(read(objects, "small").await.unwrap_err().code(), "objects.damaged");
}

pub(crate) async fn a_cut_object_is_damaged(subject: Subject) {
    let objects = &subject.objects;
    for size in [100, 3 * MIB] {
        objects.put("file", pattern(size), "x/y").await.unwrap();
        tamper(&*subject.raw, "file", |bytes| bytes.truncate(size - 1)).await;
        assert_eq!(read(objects, "file").await.unwrap_err().code(), "objects.damaged");
    }
}

pub(crate) async fn an_object_that_is_not_ours_is_damaged(subject: Subject) {
    subject.raw.put(&Path::from("stray"), "who knows".into()).await.unwrap();
    assert_eq!(read(&subject.objects, "stray").await.unwrap_err().code(), "objects.damaged");
    assert_eq!(subject.objects.head("stray").await.unwrap_err().code(), "objects.damaged");
    subject.objects.put("stray", "known", "x/y").await.unwrap();
    assert_eq!(read(&subject.objects, "stray").await.unwrap(), b"known");
}

pub(crate) async fn lists_what_lies_below_a_prefix(subject: Subject) {
    let objects = &subject.objects;
    for key in ["a/1", "a/2", "a/b/3", "ab/4", "c"] {
        objects.put(key, key.as_bytes().to_vec(), "x/y").await.unwrap();
    }
    objects.put("a/large", pattern(9 * MIB), "x/y").await.unwrap();
    assert_eq!(keys(objects, "").await, ["a/1", "a/2", "a/b/3", "a/large", "ab/4", "c"]);
    assert_eq!(keys(objects, "a").await, ["a/1", "a/2", "a/b/3", "a/large"]);
    assert_eq!(keys(objects, "a/b").await, ["a/b/3"]);
    assert_eq!(keys(objects, "none").await, [""; 0]);

    let entries: Vec<_> = objects.list("a/b").unwrap().try_collect().await.unwrap();
    assert_eq!(entries[0].size, 5);
    assert!(entries[0].modified_at > Timestamp::from_seconds(1_600_000_000));
}

pub(crate) async fn an_absent_object_is_not_found(subject: Subject) {
    let objects = &subject.objects;
    objects.put("file", "x", "x/y").await.unwrap();
    for key in ["absent", "file/below", "a/b/c"] {
        let error = objects.head(key).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("objects.not_found", FailureKind::NotFound), "{key}");
        assert_eq!(read(objects, key).await.unwrap_err().code(), "objects.not_found");
        objects.delete(key).await.unwrap();
    }
}

pub(crate) async fn keys_that_lead_elsewhere_are_refused(subject: Subject) {
    let objects = &subject.objects;
    for key in ["", "/etc/passwd", "../secret", "a/../../b", ".souk/records/a.json", "a b"] {
        let errors = [
            objects.put(key, "x", "x/y").await.err(),
            objects.put_if_absent(key, "x", "x/y").await.err(),
            objects.head(key).await.err(),
            objects.get(key).await.err(),
            objects.get_range(key, 0..1).await.err(),
            objects.delete(key).await.err(),
            if key.is_empty() { None } else { Some(objects.list(key).err().expect("the prefix was taken")) },
        ];
        for error in
            errors.into_iter().enumerate().filter(|(at, _)| *at < 6 || !key.is_empty()).map(|(_, e)| e)
        {
            let error = error.expect("the key was taken");
            assert_eq!((error.code(), error.kind()), ("objects.invalid_key", FailureKind::Invalid));
        }
    }
    assert_eq!(everything(&*subject.raw).await, [""; 0]);
}

pub(crate) async fn media_types_that_are_none_are_refused(subject: Subject) {
    let long = "x".repeat(256);
    for content_type in ["", "  ", "text/plain\r\nx-evil: 1", "text/plän", &long] {
        let error = subject.objects.put("file", "x", content_type).await.unwrap_err();
        assert_eq!(error.code(), "objects.invalid_content_type", "{content_type:?}");
    }
    assert_eq!(everything(&*subject.raw).await, [""; 0]);
}
