//! The embedded engine: each mail is a file.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use kernel::{Rng, Timestamp};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use crate::MailError;

/// A folder of `.eml` files whose names sort by the time of sending.
pub(crate) struct Folder {
    path: PathBuf,
    /// Orders mails of one microsecond.
    sequence: AtomicU32,
    rng: Rng,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, rng: Rng) -> Self {
        Self { path, sequence: AtomicU32::new(0), rng }
    }

    /// Writes a mail so that a reader sees all of it or nothing.
    pub(crate) async fn deliver(&self, at: Timestamp, mail: &[u8]) -> Result<(), MailError> {
        self.write(at, mail).await.map_err(MailError::Folder)
    }

    async fn write(&self, at: Timestamp, mail: &[u8]) -> io::Result<()> {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        // Chance keeps two processes apart that share the folder.
        let chance = u32::from_be_bytes(self.rng.bytes());
        let stem = format!("{:020}-{sequence:08}-{chance:08x}", at.as_micros().max(0));
        fs::create_dir_all(&self.path).await?;
        let unfinished = self.path.join(format!(".{stem}.tmp"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        // Mails carry links that sign people in.
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&unfinished).await?;
        file.write_all(mail).await?;
        file.sync_all().await?;
        fs::rename(&unfinished, self.path.join(format!("{stem}.eml"))).await
    }
}
