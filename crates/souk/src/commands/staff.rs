use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kernel::Secret;
use web::Role;

use super::Common;

/// Add people who work for the shop.
#[derive(Args)]
pub(super) struct Staff {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add one; the first is best an administrator. The password is read from standard input.
    Add {
        #[command(flatten)]
        common: Common,
        /// Their address for mail, which they sign in with.
        email: String,
        /// What they may do; several with commas.
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<Role>,
    },
}

impl Staff {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let Action::Add { common, email, role } = self.action;
        let password = read_password()?;
        let shop = super::open_quietly(&common).await?;
        let identity = shop.services.identity.context("identity does not run here")?;
        let id = identity.add_staff(&email, &role, &password).await?;
        println!("{id} may sign in as {email} now.");
        Ok(ExitCode::SUCCESS)
    }
}

fn read_password() -> anyhow::Result<Secret<String>> {
    if std::io::stdin().is_terminal() {
        eprintln!("The password, in one line (it is shown as you type; pipe it in to avoid that):");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("no password came from standard input");
    }
    Ok(Secret::new(password))
}
