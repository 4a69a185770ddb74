//! How much a proof tries, by which seed, and what it leaves for the report.
#![expect(clippy::disallowed_methods, reason = "the scale of a proof comes from who runs it")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// `short` in the gate, `full` under `cargo xtask prove`.
pub fn scale(short: u64, full: u64) -> u64 {
    if std::env::var_os("SOUK_PROVE").is_some() { full } else { short }
}

/// The seed that a proof draws its chances from: another one every time, printed so that a failure can be
/// repeated with `SOUK_PROVE_SEED`.
pub fn seed(proof: &str) -> u64 {
    let seed = match std::env::var("SOUK_PROVE_SEED") {
        Ok(text) => text.parse().expect("SOUK_PROVE_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("{proof}: SOUK_PROVE_SEED={seed}");
    seed
}

/// Leaves a row for the report: what was done and how often, as the names and values of `facts`.
pub fn record(proof: &str, claim: &str, facts: &[(&str, Value)]) {
    let Some(folder) = std::env::var_os("SOUK_PROVE") else { return };
    let facts: Vec<Value> = facts.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let row = json!({"proof": proof, "claim": claim, "facts": facts});
    let file = Path::new(&folder).join(format!("{proof}.json"));
    std::fs::write(file, serde_json::to_string_pretty(&row).unwrap()).unwrap();
}
