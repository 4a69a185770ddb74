//! A stream on its way in: part by part, with no more than two parts in memory.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, PutMode};
use tokio::runtime::Handle;

use crate::ObjectsError;
use crate::engine::Engine;
use crate::record::{Record, Summer};

/// The size of each part but the last. S3 wants at least 5 MiB, and some of its kin want them all alike.
pub(crate) const PART_BYTES: usize = 8 << 20;

/// A multipart upload that is aborted unless it is completed, even when whoever waits for it goes away.
pub(crate) struct Upload {
    pending: Option<Box<dyn MultipartUpload>>,
    /// Where S3 will look for the record.
    pub(crate) checksums: Option<String>,
}

impl Upload {
    pub(crate) fn new(pending: Box<dyn MultipartUpload>, checksums: Option<String>) -> Self {
        Self { pending: Some(pending), checksums }
    }

    async fn put_part(&mut self, part: Bytes) -> object_store::Result<()> {
        match &mut self.pending {
            Some(pending) => pending.put_part(part.into()).await,
            None => Ok(()),
        }
    }

    /// Makes the object visible.
    pub(crate) async fn complete(mut self) -> object_store::Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.complete().await?;
            self.pending = None;
        }
        Ok(())
    }

    async fn abort(mut self) {
        if let Some(mut pending) = self.pending.take() {
            discard(&mut *pending).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(mut pending), Ok(runtime)) = (self.pending.take(), Handle::try_current()) {
            runtime.spawn(async move { discard(&mut *pending).await });
        }
    }
}

async fn discard(pending: &mut dyn MultipartUpload) {
    if let Err(error) = pending.abort().await {
        tracing::warn!(%error, "an unfinished upload could not be discarded");
    }
}

/// Stores `content` at `path` once it has all arrived, if it has no more than `limit` bytes.
pub(crate) async fn store<E>(
    engine: &Engine,
    path: &Path,
    content: impl Stream<Item = Result<Bytes, E>> + Send,
    content_type: &str,
    limit: u64,
) -> Result<Record, ObjectsError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut parts = Parts { engine, path, content_type, upload: None, buffer: BytesMut::new() };
    let mut summer = Summer::default();
    match parts.fill(content, &mut summer, limit).await {
        Ok(()) => parts.finish(summer.finish(content_type)).await,
        Err(error) => {
            // Here and not only in `drop`, so that the parts are gone when the caller hears of the failure.
            if let Some(upload) = parts.upload {
                upload.abort().await;
            }
            Err(error)
        }
    }
}

struct Parts<'a> {
    engine: &'a Engine,
    path: &'a Path,
    content_type: &'a str,
    /// Begun when the first part is full; what fits into one part needs none.
    upload: Option<Upload>,
    buffer: BytesMut,
}

impl Parts<'_> {
    async fn fill<E>(
        &mut self,
        content: impl Stream<Item = Result<Bytes, E>> + Send,
        summer: &mut Summer,
        limit: u64,
    ) -> Result<(), ObjectsError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut content = std::pin::pin!(content);
        while let Some(chunk) = content.next().await {
            let mut chunk = chunk.map_err(|source| ObjectsError::Interrupted { source: source.into() })?;
            if summer.size().saturating_add(chunk.len() as u64) > limit {
                return Err(ObjectsError::TooLarge { limit });
            }
            summer.update(&chunk);
            while !chunk.is_empty() {
                // A full part is sent only when more follows, so that what fits into one needs no upload of parts.
                if self.buffer.len() == PART_BYTES {
                    self.send().await?;
                }
                let room = PART_BYTES - self.buffer.len();
                self.buffer.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            }
        }
        if self.upload.is_some() {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), ObjectsError> {
        let part = std::mem::take(&mut self.buffer).freeze();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.engine.begin(self.path, self.content_type).await?),
        };
        upload.put_part(part).await.map_err(|source| ObjectsError::from_store(source, self.path))
    }

    async fn finish(self, record: Record) -> Result<Record, ObjectsError> {
        match self.upload {
            Some(upload) => self.engine.complete(self.path, upload, &record).await?,
            None => {
                let content = self.buffer.freeze();
                self.engine.put(self.path, content, &record, PutMode::Overwrite).await?;
            }
        }
        Ok(record)
    }
}
