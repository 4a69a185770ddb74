use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use contracts::import::Mode;
use kernel::{Currency, Secret};

use super::Common;
use crate::import::{Format, HashConfig, Kind, Options, Parsed, Reading, Summary, open, run, takers};

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
    #[command(flatten)]
    hashes: Hashes,
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

/// The parameters of a Firebase project's password hashes, which its console shows.
#[derive(Args)]
struct Hashes {
    /// A file with the parameters of a Firebase project's password hashes, as its console shows them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hash_key", "salt_separator", "rounds", "mem_cost"])]
    hash_config: Option<PathBuf>,
    /// The signer key of a Firebase project; whoever lists the processes of the machine sees it, which a file avoids.
    #[arg(long, value_name = "BASE64", requires_all = ["salt_separator", "rounds", "mem_cost"])]
    hash_key: Option<String>,
    /// The salt separator of a Firebase project.
    #[arg(long, value_name = "BASE64", requires = "hash_key")]
    salt_separator: Option<String>,
    /// The rounds of a Firebase project.
    #[arg(long, requires = "hash_key")]
    rounds: Option<u32>,
    /// The memory cost of a Firebase project.
    #[arg(long, requires = "hash_key")]
    mem_cost: Option<u32>,
}

impl Hashes {
    fn read(&self) -> anyhow::Result<Option<HashConfig>> {
        if let Some(path) = &self.hash_config {
            return HashConfig::read(path).map(Some);
        }
        match (&self.hash_key, &self.salt_separator, self.rounds, self.mem_cost) {
            (Some(key), Some(separator), Some(rounds), Some(mem_cost)) => {
                let (signer_key, salt_separator) = (Secret::new(key.clone()), separator.clone());
                HashConfig { signer_key, salt_separator, rounds, mem_cost }.checked().map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// How a run ends in which some records were refused and the rest were taken.
const SOME_REFUSED: u8 = 2;

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let hash_config = self.hashes.read()?;
        let reading = Reading { format: self.format, currency: self.currency, hash_config };
        let opened = open(&self.file, self.kind, reading)?;
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
