use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use database::Database;
use kernel::EventId;
use serde_json::json;

use super::Common;
use crate::wiring::Shop;

/// List events that a service gave up on, or hand one over again.
#[derive(Args)]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them, oldest first.
    List {
        #[command(flatten)]
        common: Common,
        /// The service that gave up.
        service: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Put one back in the queue. A running shop takes it up within a second.
    Replay {
        #[command(flatten)]
        common: Common,
        /// The service that gave up.
        service: String,
        /// Its consumer, as the list names it.
        consumer: String,
        /// The event.
        event: EventId,
    },
}

const PAGE: i64 = 100;

impl DeadLetters {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List { common, service, json } => {
                let shop = super::open_quietly(&common).await?;
                list(&database(&shop, &service).await?, json).await?;
            }
            Action::Replay { common, service, consumer, event } => {
                let shop = super::open_quietly(&common).await?;
                if !bus::replay(&database(&shop, &service).await?, &consumer, event).await? {
                    bail!(
                        "{consumer} has no dead letter {event}; `souk dead-letters list {service}` shows them"
                    );
                }
                println!("{event} will be tried again.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn database(shop: &Shop, service: &str) -> anyhow::Result<Database> {
    let found = shop.databases.iter().find(|database| database.name() == service);
    let database = found.with_context(|| format!("there is no service {service:?}"))?.clone();
    database.migrate("bus", bus::MIGRATIONS).await?;
    Ok(database)
}

async fn list(database: &Database, json: bool) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = bus::dead_letters(database, after, PAGE).await?;
        if page.is_empty() && after.is_none() && !json {
            println!("There are none.");
        }
        for letter in &page {
            if json {
                let line = json!({
                    "consumer": letter.consumer, "event": letter.event, "attempts": letter.attempts,
                    "last_error": letter.last_error, "parked_at": letter.parked_at,
                });
                println!("{line}");
            } else {
                let event = &letter.event;
                println!("{}  {}  {}  {}", letter.parked_at, letter.consumer, event.id, event.kind);
                println!("    after {} tries: {}", letter.attempts, letter.last_error);
            }
        }
        match page.last() {
            Some(last) if page.len() == usize::try_from(PAGE).unwrap_or(0) => after = Some(last.event.id),
            _ => return Ok(()),
        }
    }
}
