use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use futures_util::{Stream, TryStreamExt};
use kernel::Timestamp;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStoreExt, PutMode};

use crate::engine::Engine;
use crate::read::{covering, verified};
use crate::record::Record;
use crate::upload::{self, PART_BYTES};
use crate::{Checksum, ObjectsConfig, ObjectsError, S3Config, key};

/// The largest object in bytes: as many parts as S3 takes.
pub const MAX_OBJECT_BYTES: u64 = 10_000 * PART_BYTES as u64;

const MAX_CONTENT_TYPE_BYTES: usize = 255;

/// How often an object may be replaced under a reader's hands before the reader gives up.
const ATTEMPTS: usize = 5;

/// What is known about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type (RFC 9110, 8.3.1).
    pub content_type: String,
    /// The SHA-256 of all its bytes.
    pub sha256: Checksum,
}

/// One object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last put, by the clock of the store.
    pub modified_at: Timestamp,
}

/// An object's bytes. Each item was verified; an error ends the stream and what came before it is genuine.
pub type Content = BoxStream<'static, Result<Bytes, ObjectsError>>;

/// A handle on the file store. Clones share everything.
#[derive(Clone, Debug)]
pub struct Objects {
    engine: Arc<Engine>,
}

impl Objects {
    /// The engine that `config` names.
    ///
    /// # Errors
    /// `objects.misconfigured`.
    pub fn open(config: &ObjectsConfig) -> Result<Self, ObjectsError> {
        match config {
            ObjectsConfig::Folder(folder) => Self::folder(&folder.path),
            ObjectsConfig::S3(config) => Self::s3(config),
        }
    }

    /// The folder at `path`, which is made when it is not there.
    ///
    /// # Errors
    /// `objects.misconfigured` when it cannot be made.
    pub fn folder(path: impl AsRef<FilePath>) -> Result<Self, ObjectsError> {
        Ok(Self { engine: Arc::new(Engine::folder(path.as_ref())?) })
    }

    /// A bucket. Nothing is asked of the server yet; [`Objects::ping`] tells whether it is there.
    ///
    /// # Errors
    /// `objects.misconfigured`.
    pub fn s3(config: &S3Config) -> Result<Self, ObjectsError> {
        Ok(Self { engine: Arc::new(Engine::s3(config)?) })
    }

    /// Whether the store answers; for readiness checks.
    ///
    /// # Errors
    /// `objects.unavailable`, `objects.misconfigured`.
    pub async fn ping(&self) -> Result<(), ObjectsError> {
        let nothing = Path::from(".souk/ping");
        let Err(source) = self.engine.store().list(Some(&nothing)).try_next().await else { return Ok(()) };
        // A list that fails does not say why. If the server does answer for an object, the bucket is missing or
        // may not be listed.
        match self.engine.store().head(&nothing).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {
                Err(ObjectsError::Misconfigured { source: source.into() })
            }
            Err(source) => Err(ObjectsError::from_store(source, &nothing)),
        }
    }

    /// Stores `content` under `key`, in the place of what was there.
    ///
    /// # Errors
    /// `objects.invalid_key`, `objects.invalid_content_type`, `objects.too_large`, `objects.unavailable`.
    pub async fn put(
        &self,
        key: &str,
        content: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<Meta, ObjectsError> {
        let content = stream::iter([Ok::<_, std::convert::Infallible>(content.into())]);
        self.put_stream(key, content, content_type, MAX_OBJECT_BYTES).await
    }

    /// Stores `content` under `key` once it has all arrived, in the place of what was there. Nothing is stored when
    /// the stream fails, is longer than `limit` bytes, or this future is dropped.
    ///
    /// # Errors
    /// As for [`Objects::put`], and `objects.interrupted` when the stream fails.
    pub async fn put_stream<E>(
        &self,
        key: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Send,
        content_type: &str,
        limit: u64,
    ) -> Result<Meta, ObjectsError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = key::path(key)?;
        check_content_type(content_type)?;
        let limit = limit.min(MAX_OBJECT_BYTES);
        let record = upload::store(&self.engine, &path, content, content_type, limit).await?;
        Ok(meta(&path, &record))
    }

    /// Stores `content` under `key` if nothing is there. Of several at once, one does.
    ///
    /// # Errors
    /// `objects.already_exists`, and as for [`Objects::put`].
    pub async fn put_if_absent(
        &self,
        key: &str,
        content: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<Meta, ObjectsError> {
        let (path, content) = (key::path(key)?, content.into());
        check_content_type(content_type)?;
        let record = Record::of(&content, content_type);
        self.engine.put(&path, content, &record, PutMode::Create).await?;
        Ok(meta(&path, &record))
    }

    /// What is known about the object under `key`.
    ///
    /// # Errors
    /// `objects.not_found`, `objects.damaged`, `objects.invalid_key`, `objects.unavailable`.
    pub async fn head(&self, key: &str) -> Result<Meta, ObjectsError> {
        let path = key::path(key)?;
        let (record, _) = self.load(&path, GetOptions { head: true, ..GetOptions::default() }).await?;
        Ok(meta(&path, &record))
    }

    /// The object under `key`.
    ///
    /// # Errors
    /// As for [`Objects::head`], here or in the stream.
    pub async fn get(&self, key: &str) -> Result<(Meta, Content), ObjectsError> {
        let path = key::path(key)?;
        let (record, result) = self.load(&path, GetOptions::default()).await?;
        let meta = meta(&path, &record);
        let wanted = 0..record.size;
        Ok((meta, verified(result.into_stream(), record, wanted, path)))
    }

    /// The bytes of `range` of the object under `key`; an end beyond the object's is the object's.
    ///
    /// # Errors
    /// As for [`Objects::get`], and `objects.out_of_range` when the range holds no byte of the object.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<(Meta, Content), ObjectsError> {
        let path = key::path(key)?;
        let blocks = covering(&range, MAX_OBJECT_BYTES);
        if range.is_empty() || blocks.is_empty() {
            return Err(self.out_of_range(key).await);
        }
        let options = GetOptions { range: Some(GetRange::Bounded(blocks)), ..GetOptions::default() };
        let (record, result) = match self.load(&path, options).await {
            Ok(found) => found,
            // Stores do not agree on what to say of a range that begins after the end.
            Err(error @ ObjectsError::Unavailable { .. }) => {
                let size = self.head(key).await?.size;
                let beyond = range.start >= size;
                return Err(if beyond { ObjectsError::OutOfRange { size } } else { error });
            }
            Err(error) => return Err(error),
        };
        let wanted = range.start..range.end.min(record.size);
        if wanted.is_empty() {
            return Err(ObjectsError::OutOfRange { size: record.size });
        }
        let meta = meta(&path, &record);
        Ok((meta, verified(result.into_stream(), record, wanted, path)))
    }

    /// Removes the object under `key`, if it is there.
    ///
    /// # Errors
    /// `objects.invalid_key`, `objects.unavailable`.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectsError> {
        self.engine.delete(&key::path(key)?).await
    }

    /// The objects in the folder `prefix` and below it, all of them for an empty one, in no certain order. They are
    /// read page by page as the stream is.
    ///
    /// # Errors
    /// `objects.invalid_key` for a prefix that is none; `objects.unavailable` in the stream.
    pub fn list(
        &self,
        prefix: &str,
    ) -> Result<BoxStream<'static, Result<Entry, ObjectsError>>, ObjectsError> {
        let prefix = if prefix.is_empty() { Path::default() } else { key::path(prefix)? };
        let entries = self.engine.store().list(Some(&prefix)).try_filter_map(async |object| {
            let ours = object.location.as_ref().starts_with(".souk/");
            Ok((!ours).then(|| Entry {
                key: object.location.to_string(),
                size: object.size,
                modified_at: Timestamp::from_micros(object.last_modified.timestamp_micros()),
            }))
        });
        Ok(entries.map_err(move |source| ObjectsError::from_store(source, &prefix)).boxed())
    }

    /// What `options` ask of the object, and the record that belongs to the version they found.
    async fn load(&self, path: &Path, options: GetOptions) -> Result<(Record, GetResult), ObjectsError> {
        for _ in 0..ATTEMPTS {
            let result = self.engine.store().get_opts(path, options.clone()).await;
            let result = result.map_err(|source| ObjectsError::from_store(source, path))?;
            match self.engine.record(path, &result.meta, &result.attributes).await? {
                Some(record) if record.size == result.meta.size => return Ok((record, result)),
                // Replaced between the two looks: the next look finds both anew.
                _ => continue,
            }
        }
        Err(ObjectsError::damaged(path))
    }

    async fn out_of_range(&self, key: &str) -> ObjectsError {
        match self.head(key).await {
            Ok(meta) => ObjectsError::OutOfRange { size: meta.size },
            Err(error) => error,
        }
    }
}

fn meta(path: &Path, record: &Record) -> Meta {
    Meta {
        key: path.to_string(),
        size: record.size,
        content_type: record.content_type.clone(),
        sha256: record.sha256,
    }
}

fn check_content_type(content_type: &str) -> Result<(), ObjectsError> {
    let visible = content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if content_type.trim().is_empty() || content_type.len() > MAX_CONTENT_TYPE_BYTES || !visible {
        return Err(ObjectsError::InvalidContentType);
    }
    Ok(())
}
