use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path as FilePath;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use super::remove;
use crate::record::Record;
use crate::upload::Upload;
use crate::{Checksum, ObjectsError};

const LOCKS: usize = 64;

/// A folder. Objects are files; records are files beside them.
#[derive(Debug)]
pub(crate) struct Folder {
    store: LocalFileSystem,
    /// One writer per key at a time; keys share these locks by hash.
    locks: Vec<Mutex<()>>,
}

/// The records that an object may have: one, or two while it is replaced.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Candidates {
    candidates: Vec<Record>,
}

impl Folder {
    pub(super) fn open(path: &FilePath) -> Result<Self, ObjectsError> {
        let refuse =
            |source: Box<dyn std::error::Error + Send + Sync>| ObjectsError::Misconfigured { source };
        std::fs::create_dir_all(path).map_err(|error| refuse(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| refuse(error.into()))?;
        Ok(Self {
            store: store.with_fsync(true).with_automatic_cleanup(true),
            locks: std::iter::repeat_with(Mutex::default).take(LOCKS).collect(),
        })
    }

    pub(super) fn store(&self) -> &LocalFileSystem {
        &self.store
    }

    pub(super) async fn record(
        &self,
        path: &Path,
        found: &ObjectMeta,
    ) -> Result<Option<Record>, ObjectsError> {
        let mut candidates = self.candidates(path).await?;
        // A version that is still there after its candidates were read has its record among them.
        let now = self.store.head(path).await.map_err(|source| ObjectsError::from_store(source, path))?;
        if now.e_tag != found.e_tag {
            return Ok(None);
        }
        candidates.retain(|record| record.size == now.size);
        if candidates.len() > 1 {
            let sha256 = self.sum(path).await?;
            candidates.retain(|record| record.sha256 == sha256);
        }
        Ok(candidates.pop())
    }

    pub(super) async fn put(
        &self,
        path: &Path,
        content: Bytes,
        record: &Record,
        mode: PutMode,
    ) -> Result<(), ObjectsError> {
        let publish = async { self.store.put_opts(path, content.into(), mode.into()).await.map(drop) };
        self.replace(path, record, publish).await
    }

    pub(super) async fn begin(&self, path: &Path) -> Result<Upload, ObjectsError> {
        let pending = self.store.put_multipart(path).await;
        Ok(Upload::new(pending.map_err(|source| ObjectsError::from_store(source, path))?, None))
    }

    pub(super) async fn complete(
        &self,
        path: &Path,
        upload: Upload,
        record: &Record,
    ) -> Result<(), ObjectsError> {
        self.replace(path, record, upload.complete()).await
    }

    pub(super) async fn delete(&self, path: &Path) -> Result<(), ObjectsError> {
        let _writing = self.lock(path).await;
        remove(&self.store, path).await?;
        remove(&self.store, &record_path(path)).await
    }

    /// Announces `record`, lets `publish` put the object in place, and settles on the record.
    async fn replace(
        &self,
        path: &Path,
        record: &Record,
        publish: impl Future<Output = object_store::Result<()>>,
    ) -> Result<(), ObjectsError> {
        let _writing = self.lock(path).await;
        let present = self.candidates(path).await?;
        let both = std::iter::once(record).chain(&present);
        self.announce(path, both.cloned().collect()).await?;
        let published = publish.await.map_err(|source| ObjectsError::from_store(source, path));
        match &published {
            Ok(()) if !present.is_empty() => self.announce(path, vec![record.clone()]).await?,
            Err(ObjectsError::AlreadyExists { .. }) if present.is_empty() => {
                remove(&self.store, &record_path(path)).await?;
            }
            Err(ObjectsError::AlreadyExists { .. }) => self.announce(path, present).await?,
            // After any other failure nobody knows which of the two is in place, so both stay candidates.
            _ => {}
        }
        published
    }

    async fn candidates(&self, path: &Path) -> Result<Vec<Record>, ObjectsError> {
        let location = record_path(path);
        let read = async { self.store.get(&location).await?.bytes().await };
        match read.await.map_err(|source| ObjectsError::from_store(source, &location)) {
            // A record that cannot be read is none: the object counts as damaged until it is put again.
            Ok(text) => Ok(serde_json::from_slice::<Candidates>(&text).unwrap_or_default().candidates),
            Err(ObjectsError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn announce(&self, path: &Path, candidates: Vec<Record>) -> Result<(), ObjectsError> {
        let location = record_path(path);
        let text = serde_json::to_vec(&Candidates { candidates })
            .map_err(|error| ObjectsError::Misconfigured { source: error.into() })?;
        let done = self.store.put(&location, text.into()).await;
        done.map(drop).map_err(|source| ObjectsError::from_store(source, &location))
    }

    async fn sum(&self, path: &Path) -> Result<Checksum, ObjectsError> {
        let hashing = async {
            let mut content = self.store.get(path).await?.into_stream();
            let mut hasher = Sha256::new();
            while let Some(chunk) = content.try_next().await? {
                hasher.update(&chunk);
            }
            Ok(Checksum::finish(hasher))
        };
        hashing.await.map_err(|source| ObjectsError::from_store(source, path))
    }

    async fn lock(&self, path: &Path) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        path.as_ref().hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or(0);
        self.locks[index].lock().await
    }
}

fn record_path(path: &Path) -> Path {
    Path::from(format!(".souk/records/{path}.json"))
}
