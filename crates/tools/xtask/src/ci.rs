//! `cargo xtask ci`: the whole gate.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, run, works};
use crate::{deny, install_engines, regen, run_tidy};

struct Step {
    name: &'static str,
    /// Whether `--quick` leaves it out.
    long: bool,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 9] = [
    Step { name: "engines", long: true, run: install_engines::install },
    Step { name: "format", long: false, run: format },
    Step { name: "tidy", long: false, run: run_tidy },
    Step { name: "deny", long: false, run: deny::check },
    Step { name: "clippy", long: false, run: clippy },
    Step { name: "generated files", long: true, run: regen::check },
    Step { name: "build", long: true, run: build },
    Step { name: "doc tests", long: true, run: doc_tests },
    Step { name: "tests", long: true, run: tests },
];

/// Runs the steps in order, stops at the first that fails, and says how long each took.
pub(crate) fn run_steps(quick: bool) -> Result<()> {
    let mut done: Vec<(&str, Duration)> = Vec::new();
    let steps = STEPS.iter().filter(|step| !(quick && step.long));
    for step in steps {
        println!("\n== {} ==", step.name);
        let started = Instant::now();
        let result = (step.run)();
        done.push((step.name, started.elapsed()));
        if let Err(error) = result {
            summarise(&done, Some(step.name));
            return Err(error.context(format!("the step `{}` failed", step.name)));
        }
    }
    summarise(&done, None);
    Ok(())
}

fn summarise(done: &[(&str, Duration)], failed: Option<&str>) {
    println!();
    for (name, took) in done {
        let verdict = if failed == Some(*name) { "FAILED" } else { "ok" };
        println!("{name:<16} {:>6} s  {verdict}", took.as_secs());
    }
}

fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")
}

fn clippy() -> Result<()> {
    if !works(cargo().args(["clippy", "--version"])) {
        bail!("clippy is missing: run `rustup component add clippy`");
    }
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
}

fn build() -> Result<()> {
    run(cargo().args(["build", "--workspace", "--all-targets", "--locked"]))
}

fn doc_tests() -> Result<()> {
    run(cargo().args(["test", "--workspace", "--doc", "--locked"]))
}

fn tests() -> Result<()> {
    run(&mut test_command())
}

/// All test binaries run one after another, and a failure does not hide the next. Not `nextest`: it
/// gives each test a process of its own, and each process its own PostgreSQL and S3 servers, where the
/// tests of one binary share them.
fn test_command() -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--all-targets", "--no-fail-fast", "--locked"]);
    command
}

#[cfg(test)]
mod tests {
    use super::{STEPS, test_command};

    #[test]
    fn the_quick_gate_builds_no_tests() {
        let quick: Vec<&str> = STEPS.iter().filter(|step| !step.long).map(|step| step.name).collect();
        assert_eq!(quick, ["format", "tidy", "deny", "clippy"]);
    }

    #[test]
    fn every_member_is_tested() {
        assert!(test_command().get_args().any(|argument| argument == "--workspace"));
    }
}
