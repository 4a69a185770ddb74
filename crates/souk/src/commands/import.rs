use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use contracts::import::Mode;
use kernel::Currency;

use super::Common;
use crate::import::{Format, Kind, Options, Parsed, Summary, open, run, takers};

/// Take over products, customers or orders from a file.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    common: Common,
    /// What the file holds.
    kind: Kind,
    /// The file; it may be compressed with gzip.
    file: PathBuf,
    /// Its shape; found out from the file when not given.
    #[arg(long)]
    format: Option<Format>,
    /// The currency where the file names none.
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// Tell what would become of each record, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write every refused record and why to this file, as CSV.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// How a run ends in which some records were refused and the rest were taken.
const SOME_REFUSED: u8 = 2;

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let opened = open(&self.file, self.kind, self.format, self.currency)?;
        let shop = super::open_quietly(&self.common).await?;
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Apply };
        let options = Options {
            progress: std::io::stderr().is_terminal() && !self.json,
            report: self.report.as_deref(),
        };
        let size = (opened.bytes_read, opened.bytes);
        let services = shop.services;
        let (summary, refused) = match opened.parsed {
            Parsed::Catalog(records) => {
                run(records, size, &takers::Products::new(services, mode)?, &options).await?
            }
            Parsed::Customers(records) => {
                run(records, size, &takers::People::new(services, mode)?, &options).await?
            }
            Parsed::Orders(records) => {
                run(records, size, &takers::Purchases::new(services, mode)?, &options).await?
            }
        };
        self.tell(summary, &refused)?;
        Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_REFUSED) })
    }

    fn tell(&self, summary: Summary, refused: &[String]) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(&summary)?);
            return Ok(());
        }
        let would = if self.dry_run { "would be " } else { "" };
        let Summary { created, updated, unchanged, refused: count } = summary;
        println!(
            "{created} {would}created, {updated} {would}updated, {unchanged} unchanged, {count} refused"
        );
        for sentence in refused {
            println!("  {sentence}");
        }
        match &self.report {
            Some(path) if count > 0 => println!("{} names every refused record.", path.display()),
            None if count > refused.len() as u64 => {
                println!("  and more; --report FILE writes all of them");
            }
            _ => {}
        }
        Ok(())
    }
}
