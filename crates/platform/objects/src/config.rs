use std::path::PathBuf;

use kernel::Secret;
use serde::Deserialize;

/// Which engine keeps the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "engine", rename_all = "snake_case")]
pub enum ObjectsConfig {
    /// A folder on this machine.
    Folder(FolderConfig),
    /// A bucket of S3 or of a server that speaks its protocol.
    S3(S3Config),
}

/// Where the folder is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Made when it is not there.
    pub path: PathBuf,
}

/// Which bucket, as whom, and how patient we are with the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// The server's address without the bucket; Amazon's own for the region when absent.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The bucket; it must exist.
    pub bucket: String,
    /// The region that requests are signed for.
    #[serde(default = "default_region")]
    pub region: String,
    /// The access key.
    pub access_key_id: String,
    /// The secret of the access key.
    pub secret_access_key: Secret<String>,
    /// Whether the bucket stands in the path rather than in the host name. Most servers but Amazon's want that.
    #[serde(default = "default_path_style")]
    pub path_style: bool,
    /// Whether an `http://` endpoint is accepted. Only for a server on the same machine or a private network.
    #[serde(default)]
    pub allow_http: bool,
    /// The longest that connecting may take.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// The longest silence within one request. One part of an upload must get through in this time.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// How often a request that failed is tried again before the caller is told.
    #[serde(default = "default_retries")]
    pub retries: usize,
}

fn default_region() -> String {
    "us-east-1".into()
}

const fn default_path_style() -> bool {
    true
}

const fn default_connect_timeout_ms() -> u64 {
    5_000
}

const fn default_timeout_ms() -> u64 {
    30_000
}

const fn default_retries() -> usize {
    3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_read_with_its_defaults() {
        let ObjectsConfig::Folder(folder) =
            toml::from_str("engine = 'folder'\npath = 'data/objects'").unwrap()
        else {
            panic!("a folder was asked for")
        };
        assert_eq!(folder.path, PathBuf::from("data/objects"));

        let text = "engine = 's3'\nbucket = 'b'\naccess_key_id = 'id'\nsecret_access_key = 's3cret'";
        let ObjectsConfig::S3(s3) = toml::from_str(text).unwrap() else { panic!("S3 was asked for") };
        assert!(s3.path_style && !s3.allow_http);
        assert_eq!((s3.region.as_str(), s3.timeout_ms), ("us-east-1", 30_000));
        assert!(!format!("{s3:?}").contains("s3cret"));
        assert!(toml::from_str::<ObjectsConfig>(&format!("{text}\nregoin = 'x'")).is_err());
    }
}
