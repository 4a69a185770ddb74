//! What only a folder can show: its files, and what a crash leaves in it.

use std::fs;
use std::path::Path;

use futures_util::stream;
use objects::{FolderConfig, Objects, ObjectsConfig};

use crate::{collect, pattern};

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

async fn read(objects: &Objects, key: &str) -> Vec<u8> {
    collect(objects.get(key).await.unwrap().1).await.unwrap()
}

#[tokio::test]
async fn the_folder_is_made_and_found_again() {
    let home = tempfile::tempdir().unwrap();
    let config = ObjectsConfig::Folder(FolderConfig { path: home.path().join("data/objects") });
    Objects::open(&config).unwrap().put("a", "kept", "x/y").await.unwrap();
    assert_eq!(read(&Objects::open(&config).unwrap(), "a").await, b"kept");
}

/// A list hides unfinished uploads; the disk does not.
#[tokio::test]
async fn a_failed_upload_leaves_no_file_of_any_name() {
    let home = tempfile::tempdir().unwrap();
    let objects = Objects::folder(home.path()).unwrap();
    let content = stream::iter((0..10).map(|_| Ok(pattern(1 << 20))).chain([Err("the line went dead")]));
    objects.put_stream("a/b", content, "x/y", u64::MAX).await.unwrap_err();
    assert_eq!(files_below(home.path()), 0);
    objects.put("a/b", "x", "x/y").await.unwrap();
    assert_eq!(files_below(home.path()), 2);
}

/// A crash between the record and the object leaves a record of two candidates. Whichever version is in place is
/// served, also when both have the same size, and the next put settles it.
#[tokio::test]
async fn a_crash_while_replacing_loses_neither_version() {
    let home = tempfile::tempdir().unwrap();
    let objects = Objects::folder(home.path()).unwrap();
    let record = home.path().join(".souk/records/price-list.json");
    let candidates = || -> serde_json::Value { serde_json::from_slice(&fs::read(&record).unwrap()).unwrap() };

    let old = objects.put("price-list", "old prices", "x/old").await.unwrap();
    let mut both = candidates();
    let new = objects.put("price-list", "new prices", "x/new").await.unwrap();
    both["candidates"].as_array_mut().unwrap().push(candidates()["candidates"][0].clone());

    fs::write(&record, both.to_string()).unwrap();
    assert_eq!(objects.head("price-list").await.unwrap(), new);
    assert_eq!(read(&objects, "price-list").await, b"new prices");
    fs::write(home.path().join("price-list"), "old prices").unwrap();
    assert_eq!(objects.head("price-list").await.unwrap(), old);
    assert_eq!(read(&objects, "price-list").await, b"old prices");

    objects.put("price-list", "last prices", "x/last").await.unwrap();
    assert_eq!(candidates()["candidates"].as_array().unwrap().len(), 1);
    fs::write(&record, "{").unwrap();
    assert!(objects.head("price-list").await.is_err(), "a record that cannot be read vouches for nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_always_see_one_whole_version() {
    let home = tempfile::tempdir().unwrap();
    let objects = Objects::folder(home.path()).unwrap();
    let versions = [pattern(3 << 20), pattern(100), pattern(2 << 20)];
    objects.put("file", versions[0].clone(), "x/y").await.unwrap();
    let writer = tokio::spawn({
        let (objects, versions) = (objects.clone(), versions.clone());
        async move {
            for round in 0..30 {
                objects.put("file", versions[round % 3].clone(), "x/y").await.unwrap();
            }
        }
    });
    let mut reads = 0;
    while !writer.is_finished() {
        let content = read(&objects, "file").await;
        assert!(versions.iter().any(|version| *version == content));
        reads += 1;
    }
    writer.await.unwrap();
    assert!(reads > 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_a_misconfiguration() {
    use kernel::Fail;
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "x").unwrap();
    let error = Objects::folder(home.path().join("file/folder")).unwrap_err();
    assert_eq!(error.code(), "objects.misconfigured");
}
