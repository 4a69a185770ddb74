//! Rule 3. Nobody but `database` asks which engine runs, or knows its driver.

use super::Finding;
use super::workspace::{Floor, Workspace};

const RULE: &str = "engines";
const DRIVERS: [&str; 8] = [
    "rusqlite",
    "tokio_postgres",
    "deadpool_postgres",
    "postgres_types",
    "sqlx",
    "sea_orm",
    "is_postgres",
    "is_sqlite",
];
const ENGINES: [&str; 2] = ["Engine", "Dialect"];
const NAMES: [&str; 5] = ["Sqlite", "SQLite", "Postgres", "PostgreSql", "Embedded"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &workspace.sources {
        if source.floor == Floor::Tools || source.owner == "database" {
            continue;
        }
        let drivers = source.tokens.iter().filter(|token| DRIVERS.contains(&token.text.as_str()));
        let mut lines: Vec<usize> = drivers.map(|token| token.line).collect();
        for window in source.tokens.windows(3) {
            let [kind, path, name] = window else { continue };
            let is_engine = ENGINES.contains(&kind.text.as_str()) && NAMES.contains(&name.text.as_str());
            if is_engine && path.text == "::" {
                lines.push(kind.line);
            }
        }
        for line in lines {
            let advice = "only `database` knows the engine: add a function with one meaning there".to_owned();
            findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
        }
    }
    findings
}
