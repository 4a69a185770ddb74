//! Rule 5. What can fail is an error; nothing panics outside tests.

use super::Finding;
use super::workspace::Workspace;

const RULE: &str = "panics";
/// Tests stand on it, so it panics where others return errors.
const TEST_CRATE: &str = "testkit";
/// With an argument, `unwrap` is somebody's own word, such as the opposite of wrapping a key.
const CALLS: [&[&str]; 4] = [
    &[".", "unwrap", "(", ")"],
    &[".", "unwrap_err", "(", ")"],
    &[".", "expect", "("],
    &[".", "expect_err", "("],
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources.iter().filter(|source| source.owner != TEST_CRATE) {
        let mut report = |lines: &mut dyn Iterator<Item = usize>, what: &str| {
            for line in lines {
                let advice = format!("`{what}` ends the program: return an error");
                findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
            }
        };
        for call in CALLS {
            report(&mut source.find(call), call[1]);
        }
        for (kind, method) in
            [("Option", "unwrap"), ("Result", "unwrap"), ("Option", "expect"), ("Result", "expect")]
        {
            report(&mut source.find(&[kind, "::", method]), method);
        }
        for name in ["panic", "todo", "unimplemented"] {
            report(&mut source.find(&[name, "!"]), name);
        }
    }
    findings
}
