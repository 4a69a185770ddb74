//! Every service follows the one plan, and every crate says what it is and obeys the workspace's lints.

use super::Finding;
use super::workspace::{Crate, Floor, Workspace};

const RULE: &str = "plan";
const SERVICE: [&str; 4] = ["src/lib.rs", "src/config.rs", "src/service.rs", "tests/it/main.rs"];
/// What a service with a trade and an API of its own has.
const TRADE: [&str; 2] = ["src/error.rs", "src/routes/mod.rs"];
/// Its trade and its API are those of the others.
const WITHOUT_TRADE: &str = "gateway";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.crates.iter().flat_map(|owner| check_crate(workspace, owner)).collect()
}

fn check_crate(workspace: &Workspace, owner: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |advice: String| {
        findings.push(Finding { file: owner.manifest_path(), line: 1, rule: RULE, advice });
    };
    let has = |file: &str| workspace.file(&format!("{}/{file}", owner.folder)).is_some();
    if !has("README.md") {
        report("add a README.md: purpose, what is deliberately absent, invariants".to_owned());
    }
    if owner.floor == Floor::Services {
        let trade = (owner.name != WITHOUT_TRADE).then_some(TRADE).into_iter().flatten();
        for file in SERVICE.into_iter().chain(trade).filter(|file| !has(file)) {
            report(format!("every service has a {file}: add it"));
        }
    }
    let lints = owner.manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if lints.and_then(toml::Value::as_bool) != Some(true) {
        report("add `[lints] workspace = true`".to_owned());
    }
    findings
}
