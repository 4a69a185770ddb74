//! Rule 5. What can fail is an error; nothing panics outside tests.

use super::Finding;
use super::workspace::Workspace;

const RULE: &str = "panics";
/// Tests stand on it, so it panics where others return errors.
const TEST_CRATE: &str = "testkit";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources.iter().filter(|source| source.owner != TEST_CRATE) {
        let mut report = |lines: &mut dyn Iterator<Item = usize>, what: &str| {
            for line in lines {
                let advice = format!("`{what}` ends the program: return an error");
                findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
            }
        };
        // With an argument, `unwrap` is somebody's own word, such as the opposite of wrapping a key.
        for (method, end) in [("unwrap", ")"), ("unwrap_err", ")"), ("expect", ""), ("expect_err", "")] {
            let call = [".", method, "(", end];
            report(&mut source.find(call.split_at(if end.is_empty() { 3 } else { 4 }).0), method);
            for kind in ["Option", "Result"] {
                report(&mut source.find(&[kind, "::", method]), method);
            }
        }
        for name in ["panic", "todo", "unimplemented"] {
            report(&mut source.find(&[name, "!"]), name);
        }
    }
    findings
}
