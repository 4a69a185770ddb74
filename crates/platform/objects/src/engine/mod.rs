//! The two stores, which differ in where an object's record lies and how it is put in place with the object.

mod folder;
mod s3;

use std::path::Path as FilePath;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Attributes, ObjectMeta, ObjectStore, PutMode};

use self::folder::Folder;
use self::s3::S3;
use crate::record::Record;
use crate::upload::Upload;
use crate::{ObjectsError, S3Config};

#[derive(Debug)]
pub(crate) enum Engine {
    Folder(Folder),
    S3(S3),
}

impl Engine {
    pub(crate) fn folder(path: &FilePath) -> Result<Self, ObjectsError> {
        Folder::open(path).map(Self::Folder)
    }

    pub(crate) fn s3(config: &S3Config) -> Result<Self, ObjectsError> {
        S3::new(config).map(Self::S3)
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        match self {
            Self::Folder(folder) => folder.store(),
            Self::S3(s3) => s3.store(),
        }
    }

    /// The record of the version that `found` is of; none if it has none or is being replaced.
    // The answer that these are of is not `Sync`, so a reference to the whole would make this not `Send`.
    pub(crate) async fn record(
        &self,
        path: &Path,
        found: &ObjectMeta,
        attributes: &Attributes,
    ) -> Result<Option<Record>, ObjectsError> {
        match self {
            Self::Folder(folder) => folder.record(path, found).await,
            Self::S3(s3) => s3.record(path, found, attributes).await,
        }
    }

    /// Stores an object that is at hand.
    pub(crate) async fn put(
        &self,
        path: &Path,
        content: Bytes,
        record: &Record,
        mode: PutMode,
    ) -> Result<(), ObjectsError> {
        match self {
            Self::Folder(folder) => folder.put(path, content, record, mode).await,
            Self::S3(s3) => s3.put(path, content, record, mode).await,
        }
    }

    /// Begins an object that arrives in parts.
    pub(crate) async fn begin(&self, path: &Path, content_type: &str) -> Result<Upload, ObjectsError> {
        match self {
            Self::Folder(folder) => folder.begin(path).await,
            Self::S3(s3) => s3.begin(path, content_type).await,
        }
    }

    /// Makes an object visible whose parts have all arrived.
    pub(crate) async fn complete(
        &self,
        path: &Path,
        upload: Upload,
        record: &Record,
    ) -> Result<(), ObjectsError> {
        match self {
            Self::Folder(folder) => folder.complete(path, upload, record).await,
            Self::S3(s3) => s3.complete(path, upload, record).await,
        }
    }

    /// Removes an object and its record; an absent one is no error.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), ObjectsError> {
        match self {
            Self::Folder(folder) => folder.delete(path).await,
            Self::S3(s3) => s3.delete(path).await,
        }
    }
}

/// Removes what is at `path`, if anything is.
async fn remove(store: &impl ObjectStore, path: &Path) -> Result<(), ObjectsError> {
    use object_store::ObjectStoreExt;
    match store.delete(path).await.map_err(|source| ObjectsError::from_store(source, path)) {
        Ok(()) | Err(ObjectsError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
