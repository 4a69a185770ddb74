//! Rule 4. Time and chance come from `Clock` and `Rng`, and money is never a float.

use super::Finding;
use super::source::{Source, Token};
use super::workspace::{Floor, Workspace};

const RULE: &str = "chance";

/// Readings of the machine's clock or of its randomness.
const SOURCES: [(&[&str], &str); 12] = [
    (&["SystemTime", "::", "now"], "Clock"),
    (&["Timestamp", "::", "now"], "Clock"),
    (&["Zoned", "::", "now"], "Clock"),
    (&["Utc", "::", "now"], "Clock"),
    (&["Local", "::", "now"], "Clock"),
    (&["OffsetDateTime", "::", "now_utc"], "Clock"),
    (&["Uuid", "::", "now_v7"], "Clock and a Rng"),
    (&["Uuid", "::", "new_v4"], "Rng"),
    (&["getrandom", "::"], "Rng"),
    (&["thread_rng"], "Rng"),
    (&["OsRng"], "Rng"),
    (&["rand", "::"], "Rng"),
];

/// Where amounts of money pass.
const NEAR_MONEY: [&str; 6] = ["kernel", "contracts", "ledger", "orders", "payments", "catalog"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources.iter().filter(|source| source.floor != Floor::Tools) {
        let mut report = |line, advice: String| {
            findings.push(Finding { file: source.path.clone(), line, rule: RULE, advice });
        };
        for (words, instead) in SOURCES {
            if !is_the_source_itself(source) {
                source.find(words).for_each(|line| report(line, format!("take a kernel::{instead}")));
            }
        }
        // A monotonic clock may measure and limit; what it says must not reach a decision.
        let decides = ["model", "ops", "store"].iter().any(|folder| source.is_under(folder));
        if decides || source.floor == Floor::Foundation {
            source.find(&["Instant", "::", "now"]).for_each(|line| {
                report(line, "take a kernel::Clock".to_owned());
            });
        }
        if NEAR_MONEY.contains(&source.owner.as_str()) {
            for token in source.tokens.iter().filter(|token| is_float(token)) {
                report(token.line, "no floats near money: count in minor units".to_owned());
            }
        }
    }
    findings
}

fn is_the_source_itself(source: &Source) -> bool {
    source.owner == "kernel" && (source.is_under("clock") || source.is_under("rng"))
}

fn is_float(token: &Token) -> bool {
    if token.is_literal {
        return matches!(syn::parse_str(&token.text), Ok(syn::Lit::Float(_)));
    }
    token.text == "f32" || token.text == "f64"
}
