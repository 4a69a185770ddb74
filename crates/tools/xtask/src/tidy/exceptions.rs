//! The list of exceptions, which may only shrink.
//!
//! A line names a rule and a file: `size crates/services/orders/src/model/order.rs`.

use super::Finding;
use super::workspace::Workspace;

/// The list, at the root of the workspace.
pub(super) const FILE: &str = "tidy-exceptions.txt";
/// How many exceptions there are. It is lowered with each that goes, and never raised.
pub(super) const COUNT: usize = 1;
const RULE: &str = "exceptions";

/// Takes the excepted findings away, and adds one for every entry that excepts nothing and one when there
/// are not `count` entries.
pub(super) fn apply(count: usize, workspace: &Workspace, findings: Vec<Finding>) -> Vec<Finding> {
    let text = workspace.file(FILE).unwrap_or_default();
    let lines = text.lines().map(str::trim).enumerate();
    let entries: Vec<(usize, &str)> =
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
    let key = |finding: &Finding| format!("{} {}", finding.rule, finding.file);
    let mut left = Vec::new();
    let mut used = Vec::new();
    for finding in findings {
        match entries.iter().find(|(_, entry)| *entry == key(&finding)) {
            Some(entry) => used.push(*entry),
            None => left.push(finding),
        }
    }
    let mut report = |line, advice| {
        left.push(Finding { file: FILE.to_owned(), line, rule: RULE, advice });
    };
    for (line, entry) in entries.iter().filter(|entry| !used.contains(entry)) {
        report(line + 1, format!("`{entry}` is no breach any more: remove the line"));
    }
    if entries.len() > count {
        report(1, format!("{} exceptions, {count} are recorded: the list only shrinks", entries.len()));
    }
    if entries.len() < count {
        report(1, format!("{} exceptions, {count} are recorded: lower COUNT in xtask", entries.len()));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::super::tests::workspace;
    use super::{Finding, apply};

    fn finding() -> Finding {
        Finding { file: "crates/a.rs".to_owned(), line: 1, rule: "size", advice: "split".to_owned() }
    }

    fn left(count: usize, list: &str, findings: Vec<Finding>) -> Vec<String> {
        let left = apply(count, &workspace(&[(super::FILE, list)]), findings);
        left.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_exception_takes_its_finding_away() {
        assert_eq!(left(1, "# why\nsize crates/a.rs\n", vec![finding()]), [""; 0]);
        assert_eq!(left(0, "", vec![finding()]), ["crates/a.rs:1: size: split"]);
    }

    #[test]
    fn a_stale_exception_is_a_breach() {
        let left = left(1, "size crates/a.rs\n", Vec::new());
        assert!(
            left[0].starts_with("tidy-exceptions.txt:1: exceptions: `size crates/a.rs` is no breach"),
            "{left:?}"
        );
    }

    #[test]
    fn the_list_only_shrinks() {
        let grown = left(0, "size crates/a.rs\n", vec![finding()]);
        assert!(grown[0].contains("the list only shrinks"), "{grown:?}");
        let shrunk = left(1, "", Vec::new());
        assert!(shrunk[0].contains("lower COUNT"), "{shrunk:?}");
    }
}
