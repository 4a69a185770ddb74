//! Rule 1. Dependencies point down, services do not know one another, the foundation has no input or
//! output, and only the binary reads the environment.

use super::Finding;
use super::workspace::{Crate, Floor, Workspace};

const RULE: &str = "floors";

/// Beginnings of the names of crates that wait, listen, store or send.
const INPUT_AND_OUTPUT: [&str; 15] = [
    "async-nats",
    "axum",
    "deadpool",
    "hyper",
    "lettre",
    "mio",
    "object_store",
    "postgres",
    "redis",
    "reqwest",
    "rusqlite",
    "rustls",
    "tempfile",
    "tokio",
    "walkdir",
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for owner in &workspace.crates {
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let dependencies = owner.manifest.get(table).and_then(toml::Value::as_table);
            for name in dependencies.into_iter().flat_map(toml::Table::keys) {
                if let Some(advice) = refuse(workspace, owner, name, table == "dev-dependencies") {
                    let file = owner.manifest_path();
                    let text = workspace.file(&file).unwrap_or_default();
                    let line = text.lines().position(|line| line.starts_with(name.as_str()));
                    findings.push(Finding { file, line: line.unwrap_or(0) + 1, rule: RULE, advice });
                }
            }
        }
    }
    findings.extend(environment(workspace));
    findings
}

fn refuse(workspace: &Workspace, owner: &Crate, name: &str, for_tests: bool) -> Option<String> {
    let Some(other) = workspace.crates.iter().find(|other| other.name == name) else {
        let outside = INPUT_AND_OUTPUT.iter().any(|beginning| name.starts_with(beginning));
        return (owner.floor == Floor::Foundation && !for_tests && outside)
            .then(|| format!("the foundation has no input or output: do without `{name}`"));
    };
    match (owner.floor, other.floor) {
        (Floor::Tools, _) => None,
        (_, Floor::Tools) if for_tests => None,
        (_, Floor::Tools) => Some(format!("`{name}` is for development: move it to [dev-dependencies]")),
        (Floor::Services, Floor::Services) => Some(format!(
            "services do not depend on services: use an event, or the client of `{name}` in `contracts`"
        )),
        (from, to) if from < to => Some(format!("dependencies point down, `{name}` stands above")),
        _ => None,
    }
}

fn environment(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let bound = |floor| !matches!(floor, Floor::Binary | Floor::Tools);
    for source in workspace.sources.iter().filter(|source| bound(source.floor)) {
        let read = ["var", "var_os", "vars", "vars_os", "args", "args_os"];
        let named = source.find(&["std", "::", "env"]);
        let used = read.iter().flat_map(|function| {
            let lines: Vec<usize> = source.find(&["env", "::", function]).collect();
            lines
        });
        for line in named.chain(used) {
            let advice = "only the binary reads the environment: take the value as an argument".to_owned();
            findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
        }
    }
    findings
}
