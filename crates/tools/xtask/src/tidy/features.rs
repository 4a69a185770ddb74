//! Rule 7. A Cargo feature may only leave out a heavy engine.

use super::Finding;
use super::workspace::Workspace;

const RULE: &str = "features";
/// `default` may only list the others.
const ALLOWED: [&str; 3] = ["default", "kafka", "saml"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for owner in &workspace.crates {
        let features = owner.manifest.get("features").and_then(toml::Value::as_table);
        for name in features.into_iter().flat_map(toml::Table::keys) {
            if !ALLOWED.contains(&name.as_str()) {
                let advice = format!("`{name}` changes what is built: make it configuration");
                findings.push(Finding { file: owner.manifest_path(), line: 1, rule: RULE, advice });
            }
        }
    }
    findings
}
