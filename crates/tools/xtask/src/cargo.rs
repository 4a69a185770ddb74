//! Running programs, and asking Cargo about the workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What `cargo metadata` says about the workspace.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A package that the workspace is, or stands on.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; nothing for our own.
    pub(crate) source: Option<String>,
}

impl Metadata {
    /// Our own packages only, which needs no network.
    pub(crate) fn of_workspace() -> Result<Self> {
        Self::read(&["--no-deps"])
    }

    /// Every package that the workspace stands on, with every feature.
    pub(crate) fn of_everything() -> Result<Self> {
        Self::read(&["--all-features", "--locked"])
    }

    fn read(arguments: &[&str]) -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version=1"]).args(arguments);
        serde_json::from_str(&output(&mut command)?).context("what `cargo metadata` printed")
    }
}

/// The Cargo that runs this task, else the one on `PATH`.
pub(crate) fn cargo() -> Command {
    Command::new(option_env!("CARGO").filter(|cargo| Path::new(cargo).is_file()).unwrap_or("cargo"))
}

/// Runs a command whose output goes where ours goes. Fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status().with_context(|| shown(command))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed. Fails with its errors when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| shown(command))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed with {}\n{errors}", shown(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a command can be run at all, such as a Cargo subcommand that may not be installed.
pub(crate) fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
