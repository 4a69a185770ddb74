//! How often a second the disk makes a small write durable.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Writes of one page at the end of a file in `folder`, each followed by `fdatasync`, one by one.
pub(crate) fn sync_rate(folder: &Path, length: Duration) -> Result<f64> {
    let path = folder.join("fsync.probe");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < length {
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
