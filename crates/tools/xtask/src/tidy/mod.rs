//! `cargo xtask tidy`: the rules that hold the architecture up.

pub(crate) mod access;
mod chance;
mod documents;
mod engines;
mod exceptions;
mod features;
mod floors;
mod layers;
mod panics;
mod plan;
mod size;
mod source;
mod workspace;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use self::workspace::Workspace;

/// A breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the root of the workspace.
    pub(crate) file: String,
    /// 1 when the file as a whole is meant.
    pub(crate) line: usize,
    /// The rule's name, which is the name of its file here.
    pub(crate) rule: &'static str,
    /// What is wrong and what to do.
    pub(crate) advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, rule, advice } = self;
        write!(f, "{file}:{line}: {rule}: {advice}")
    }
}

type Rule = fn(&Workspace) -> Vec<Finding>;

/// The rules in the order of ARCHITECTURE.md, then those that keep the documents true.
const RULES: [Rule; 10] = [
    floors::check,
    layers::check,
    engines::check,
    chance::check,
    panics::check,
    size::check,
    features::check,
    access::check,
    documents::check,
    plan::check,
];

/// Judges the workspace at `root` and returns every breach, in the order of files and lines.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    Ok(judge(&Workspace::read(root)?, exceptions::COUNT))
}

fn judge(workspace: &Workspace, exceptions: usize) -> Vec<Finding> {
    let found = RULES.iter().flat_map(|rule| rule(workspace)).collect();
    let mut findings = exceptions::apply(exceptions, workspace, found);
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests;
