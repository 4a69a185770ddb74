//! `docs/performance.md`: the table of a whole run within text that people wrote.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use kernel::Clock;

use crate::bench::{Bench, SMALL};
use crate::table::grouped;

/// What a run does not know: how it is measured, and what bounds each row.
static TEXT: &str = include_str!("../performance.md");

/// Writes the page.
pub(crate) fn write(path: &Path, bench: &Bench, table: &str) -> Result<()> {
    let values = [
        ("date", Clock::system().now().date().to_string()),
        ("machine", bench.machine.describe()),
        ("runs", bench.plan.runs.to_string()),
        ("seconds", bench.plan.run.as_secs().to_string()),
        ("small", grouped(SMALL as f64)),
        ("large", grouped(bench.large as f64)),
        ("table", table.trim_end().to_owned()),
    ];
    let mut text = TEXT.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), &value);
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}
