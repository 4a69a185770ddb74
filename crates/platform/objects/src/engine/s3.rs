use std::time::Duration;

use bytes::Bytes;
use kernel::Rng;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, RetryConfig,
};

use super::remove;
use crate::record::{BLOCK_BYTES, Record};
use crate::upload::Upload;
use crate::{ObjectsError, S3Config};

/// The object's SHA-256, when that says it all.
const SHA256: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("sha256"));

/// The name of the object's record under `.souk/checksums/`.
const CHECKSUMS: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("checksums"));

/// A bucket. An object's metadata becomes visible with it, in one step: it holds the record or names it.
#[derive(Debug)]
pub(crate) struct S3 {
    store: AmazonS3,
    rng: Rng,
}

impl S3 {
    pub(super) fn new(config: &S3Config) -> Result<Self, ObjectsError> {
        // There is no bound on a whole request, since a large object may be read slowly; only on silence.
        let client = ClientOptions::new()
            .with_allow_http(config.allow_http)
            .with_connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .with_read_timeout(Duration::from_millis(config.timeout_ms))
            .with_timeout_disabled();
        let retry = RetryConfig {
            max_retries: config.retries,
            retry_timeout: Duration::from_millis(config.timeout_ms),
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key_id)
            .with_secret_access_key(config.secret_access_key.expose())
            .with_virtual_hosted_style_request(!config.path_style)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(config.allow_http);
        }
        let store = builder.build().map_err(|error| ObjectsError::Misconfigured { source: error.into() })?;
        Ok(Self { store, rng: Rng::system() })
    }

    pub(super) fn store(&self) -> &AmazonS3 {
        &self.store
    }

    pub(super) async fn record(
        &self,
        path: &Path,
        found: &ObjectMeta,
        attributes: &Attributes,
    ) -> Result<Option<Record>, ObjectsError> {
        if let Some(name) = attributes.get(&CHECKSUMS) {
            return self.large_record(name).await;
        }
        let sha256 = attributes.get(&SHA256).and_then(|text| text.parse().ok());
        let content_type = attributes.get(&Attribute::ContentType);
        match (sha256, content_type) {
            (Some(sha256), Some(content_type)) => Ok(Some(Record {
                size: found.size,
                content_type: content_type.to_string(),
                sha256,
                blocks: Vec::new(),
            })),
            _ => Err(ObjectsError::damaged(path)),
        }
    }

    pub(super) async fn put(
        &self,
        path: &Path,
        content: Bytes,
        record: &Record,
        mode: PutMode,
    ) -> Result<(), ObjectsError> {
        let replaced = if mode == PutMode::Overwrite { self.checksums_of(path).await? } else { None };
        let mut attributes = Attributes::from_iter([(Attribute::ContentType, record.content_type.clone())]);
        let mut checksums = None;
        if record.size <= BLOCK_BYTES {
            attributes.insert(SHA256, record.sha256.to_string().into());
        } else {
            let name = self.new_name();
            self.keep_record(&name, record).await?;
            attributes.insert(CHECKSUMS, name.clone().into());
            checksums = Some(name);
        }
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        let done = self.store.put_opts(path, content.into(), options).await;
        match done.map_err(|source| ObjectsError::from_store(source, path)) {
            Ok(_) => self.forget_record(replaced).await,
            Err(error) => {
                // After any other failure the object may be visible although nobody told us, and needs its record.
                if matches!(error, ObjectsError::AlreadyExists { .. }) {
                    self.forget_record(checksums).await?;
                }
                Err(error)
            }
        }
    }

    pub(super) async fn begin(&self, path: &Path, content_type: &str) -> Result<Upload, ObjectsError> {
        let checksums = self.new_name();
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, content_type.to_owned()),
            (CHECKSUMS, checksums.clone()),
        ]);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let pending = self.store.put_multipart_opts(path, options).await;
        let pending = pending.map_err(|source| ObjectsError::from_store(source, path))?;
        Ok(Upload::new(pending, Some(checksums)))
    }

    pub(super) async fn complete(
        &self,
        path: &Path,
        upload: Upload,
        record: &Record,
    ) -> Result<(), ObjectsError> {
        let replaced = self.checksums_of(path).await?;
        let checksums = upload.checksums.clone();
        if let Some(name) = &checksums {
            self.keep_record(name, record).await?;
        }
        match upload.complete().await {
            Ok(()) => self.forget_record(replaced).await,
            // The record stays for the same reason as above.
            Err(source) => Err(ObjectsError::from_store(source, path)),
        }
    }

    pub(super) async fn delete(&self, path: &Path) -> Result<(), ObjectsError> {
        let checksums = self.checksums_of(path).await?;
        remove(&self.store, path).await?;
        self.forget_record(checksums).await
    }

    /// The name of the present object's record, if it has one of its own.
    async fn checksums_of(&self, path: &Path) -> Result<Option<String>, ObjectsError> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.store.get_opts(path, options).await {
            Ok(found) => Ok(found.attributes.get(&CHECKSUMS).map(|name| name.to_string())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(ObjectsError::from_store(source, path)),
        }
    }

    /// `None` when the record is gone, as it is once the object was replaced.
    async fn large_record(&self, name: &str) -> Result<Option<Record>, ObjectsError> {
        let location = record_path(name);
        let read = async { self.store.get(&location).await?.bytes().await };
        match read.await {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(ObjectsError::from_store(source, &location)),
        }
    }

    async fn keep_record(&self, name: &str, record: &Record) -> Result<(), ObjectsError> {
        let location = record_path(name);
        let text = serde_json::to_vec(record)
            .map_err(|error| ObjectsError::Misconfigured { source: error.into() })?;
        let done = self.store.put(&location, text.into()).await;
        done.map(drop).map_err(|source| ObjectsError::from_store(source, &location))
    }

    async fn forget_record(&self, name: Option<String>) -> Result<(), ObjectsError> {
        match name {
            Some(name) => remove(&self.store, &record_path(&name)).await,
            None => Ok(()),
        }
    }

    /// A name that no other upload has. It is never shown to anybody, so it need not repeat in a test.
    fn new_name(&self) -> String {
        hex::encode(self.rng.bytes::<16>())
    }
}

fn record_path(name: &str) -> Path {
    Path::from(format!(".souk/checksums/{name}.json"))
}
