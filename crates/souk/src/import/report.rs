use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use contracts::import::Verdict;
use serde::Serialize;

use super::Refusal;

/// What became of a whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Records that were not there before.
    pub(crate) created: u64,
    /// Records that differed.
    pub(crate) updated: u64,
    /// Records that were there, the same.
    pub(crate) unchanged: u64,
    /// Records that were not taken; the report names each.
    pub(crate) refused: u64,
}

/// Names every refused record and why, as CSV, while the import runs.
pub(crate) struct Report {
    summary: Summary,
    refused: Option<csv::Writer<Box<dyn Write + Send>>>,
    first: Vec<String>,
}

/// How many refusals are also shown at the end.
const SHOWN: usize = 10;

impl Report {
    /// Writes refusals to `path` when one is given.
    pub(crate) fn new(path: Option<&Path>) -> anyhow::Result<Self> {
        let refused = match path {
            None => None,
            Some(path) => {
                let file = std::fs::File::create(path)
                    .with_context(|| format!("cannot write the report to {}", path.display()))?;
                let mut writer = csv::Writer::from_writer(Box::new(file) as Box<dyn Write + Send>);
                writer.write_record(["place", "name", "code", "field", "detail"])?;
                Some(writer)
            }
        };
        Ok(Self { summary: Summary::default(), refused, first: Vec::new() })
    }

    /// Notes what became of the record `name` at `place`.
    pub(crate) fn note(&mut self, place: &str, name: &str, verdict: &Verdict) -> anyhow::Result<()> {
        match verdict {
            Verdict::Created => self.summary.created += 1,
            Verdict::Updated => self.summary.updated += 1,
            Verdict::Unchanged => self.summary.unchanged += 1,
            Verdict::Refused { code, field, detail } => {
                self.summary.refused += 1;
                if self.first.len() < SHOWN {
                    self.first.push(format!("{place} ({name}): {detail} [{code}]"));
                }
                if let Some(writer) = &mut self.refused {
                    writer.write_record([place, name, code, field.as_deref().unwrap_or(""), detail])?;
                }
            }
        }
        Ok(())
    }

    /// Ends the report; answers with the summary and the first refusals as sentences.
    pub(crate) fn finish(mut self) -> anyhow::Result<(Summary, Vec<String>)> {
        if let Some(writer) = &mut self.refused {
            writer.flush()?;
        }
        Ok((self.summary, self.first))
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, field: refusal.field, detail: refusal.detail }
    }
}
