//! What is measured on.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::limits::disk;
use crate::table::grouped;

/// A machine, as far as it matters to a server.
pub(crate) struct Machine {
    processor: String,
    pub(crate) cores: usize,
    memory_gib: f64,
    system: String,
    /// Small durable writes a second, one by one.
    syncs: f64,
}

impl Machine {
    /// This one; the disk is the one that `folder` lies on.
    pub(crate) fn look(folder: &Path) -> Result<Self> {
        const PROBE: Duration = Duration::from_secs(1);
        let field = |file: &str, name: &str| -> Result<String> {
            let text = fs::read_to_string(file)?;
            let line = text.lines().find(|line| line.starts_with(name)).context(name.to_owned())?;
            Ok(line.split_once(':').context(name.to_owned())?.1.trim().to_owned())
        };
        let memory = field("/proc/meminfo", "MemTotal")?;
        let kib: f64 = memory.split_whitespace().next().context("MemTotal")?.parse()?;
        Ok(Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|_| "unknown".to_owned()),
            cores: available_parallelism()?.get(),
            memory_gib: kib / 1_048_576.0,
            system: format!("Linux {}", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()),
            syncs: disk::sync_rate(folder, PROBE)?,
        })
    }

    /// For people, in one sentence.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{} cores of {}, {:.0} GiB of memory, {}; the disk makes {} small writes a second durable, one by one",
            self.cores,
            self.processor,
            self.memory_gib,
            self.system,
            grouped(self.syncs)
        )
    }
}

/// How many files this program may have open.
pub(crate) fn open_files() -> Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).context("/proc/self/limits")?;
    Ok(line.split_whitespace().nth(3).context("/proc/self/limits")?.parse().unwrap_or(u64::MAX))
}
