//! Rule 2. SQL is for stores, HTTP is for routes.

use super::Finding;
use super::source::Source;
use super::workspace::{Floor, Workspace};

const RULE: &str = "layers";

/// How a statement begins: a verb and what has to follow it.
const STATEMENTS: [(&str, &[&str]); 10] = [
    ("SELECT", &[]),
    ("INSERT", &["INTO", "OR"]),
    ("UPDATE", &[]),
    ("DELETE", &["FROM"]),
    ("WITH", &[]),
    (
        "CREATE",
        &["TABLE", "INDEX", "UNIQUE", "SCHEMA", "VIEW", "TRIGGER", "FUNCTION", "VIRTUAL", "EXTENSION"],
    ),
    ("ALTER", &["TABLE", "SCHEMA", "INDEX"]),
    ("DROP", &["TABLE", "SCHEMA", "INDEX", "VIEW"]),
    ("TRUNCATE", &[]),
    ("PRAGMA", &[]),
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources.iter().filter(|source| source.floor != Floor::Tools) {
        let mut report = |line, advice: &str| {
            let advice = advice.to_owned();
            findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
        };
        if !may_hold_sql(source) {
            let literals = source.tokens.iter().filter(|token| token.is_literal);
            for literal in literals.filter(|literal| is_statement(&literal.text)) {
                report(literal.line, "SQL stands under `store/`, in `database` and nowhere else");
            }
        }
        if !may_speak_http(source) {
            for name in ["axum", "utoipa_axum"] {
                for line in source.find(&[name, "::"]) {
                    report(line, "axum stands under `routes/`, under `pages/` and in `service.rs`");
                }
            }
        }
    }
    findings
}

fn may_hold_sql(source: &Source) -> bool {
    source.owner == "database" || source.is_under("store") || source.is_under("migrations")
}

fn may_speak_http(source: &Source) -> bool {
    let crates = ["web", "host", "gateway"];
    source.floor == Floor::Binary
        || crates.contains(&source.owner.as_str())
        || ["routes", "pages", "service"].iter().any(|name| source.is_under(name))
}

/// Statements are written in capitals, or wholly in small letters; a sentence begins with one capital.
fn is_statement(literal: &str) -> bool {
    let Ok(text) = syn::parse_str::<syn::LitStr>(literal) else { return false };
    let text = text.value();
    let mut words = text.split_whitespace();
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    let (verb, next) = (first.to_ascii_uppercase(), second.to_ascii_uppercase());
    let Some((_, followers)) = STATEMENTS.iter().find(|(statement, _)| *statement == verb) else {
        return false;
    };
    let fits = followers.is_empty() || followers.contains(&next.as_str());
    if first == verb {
        return fits;
    }
    // In small letters the verbs without a fixed follower are English too; a later word tells them apart.
    let later = match verb.as_str() {
        "SELECT" => " FROM ",
        "UPDATE" => " SET ",
        "WITH" => " AS (",
        _ => "",
    };
    first == verb.to_ascii_lowercase() && fits && text.to_ascii_uppercase().contains(later)
}
