//! `cargo xtask prove`: every proof in full, and the page that says what they did.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cargo::{Metadata, cargo, output, run};
use crate::install_engines;

const REPORT: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- Written by `cargo xtask prove` from here on. -->";
const END: &str = "<!-- Written by `cargo xtask prove` up to here. -->";

/// What one proof left.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Row {
    proof: String,
    claim: String,
    facts: Vec<Fact>,
    /// When and where it held; not yet there when the proof has just written it.
    #[serde(default)]
    held: Option<Held>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Fact {
    name: String,
    value: Value,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Held {
    date: String,
    commit: String,
    machine: String,
}

/// Runs the proofs whose names are given, or all, and writes the report. The rows of proofs that are not run
/// stay as they were.
pub(crate) fn prove(names: &[String]) -> Result<()> {
    install_engines::install()?;
    let Metadata { workspace_root, target_directory, .. } = Metadata::of_workspace()?;
    let folder = target_directory.join("prove");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // What is proven is what is there now, whatever is committed meanwhile; and what a run that failed left
    // behind is not taken for what this one did.
    let held = held()?;
    for (path, row) in rows(&folder)? {
        if row.held.is_none() {
            fs::remove_file(path)?;
        }
    }
    run(cargo().current_dir(&workspace_root).env("SOUK_PROVE", &folder).args(arguments(names)))
        .context("a proof did not hold, so nothing was written; what it printed says how to repeat it")?;
    let rows = stamp(&folder, &held)?;
    let report = workspace_root.join(REPORT);
    let page = fs::read_to_string(&report).with_context(|| report.display().to_string())?;
    fs::write(&report, replaced(&page, &section(&rows))?)?;
    println!("wrote {}", report.display());
    Ok(())
}

/// What Cargo is told. One proof at a time: each has the machine to itself. The whole workspace, though only
/// souk has proofs, so that what the gate built is what is proven.
fn arguments(names: &[String]) -> Vec<String> {
    let filters = match names {
        [] => vec!["proofs::".to_owned()],
        names => names.iter().map(|name| format!("proofs::{name}")).collect(),
    };
    let cargo = ["test", "--locked", "--workspace", "--test", "it", "--"];
    let harness = ["--nocapture", "--test-threads=1"];
    cargo
        .iter()
        .map(ToString::to_string)
        .chain(filters)
        .chain(harness.iter().map(ToString::to_string))
        .collect()
}

/// The rows in `folder`, by name, and where each lies.
fn rows(folder: &Path) -> Result<Vec<(PathBuf, Row)>> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path)?;
            let row: Row = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            rows.push((path, row));
        }
    }
    rows.sort_by(|(_, one), (_, other)| one.proof.cmp(&other.proof));
    Ok(rows)
}

/// Notes in those rows in `folder` that are new when they held, and answers with all of them.
fn stamp(folder: &Path, held: &Held) -> Result<Vec<Row>> {
    let mut stamped = Vec::new();
    for (path, mut row) in rows(folder)? {
        if row.held.is_none() {
            row.held = Some(held.clone());
            fs::write(&path, serde_json::to_string_pretty(&row)?)?;
        }
        stamped.push(row);
    }
    if stamped.is_empty() {
        bail!("no proof of these names left anything in {}", folder.display());
    }
    Ok(stamped)
}

fn held() -> Result<Held> {
    let told = |program: &str, arguments: &[&str]| -> Result<String> {
        Ok(output(Command::new(program).args(arguments))?.trim().to_owned())
    };
    let changed = if told("git", &["status", "--porcelain"])?.is_empty() { "" } else { " and changes" };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Ok(Held {
        date: told("date", &["--utc", "+%Y-%m-%d"])?,
        commit: format!("{}{changed}", told("git", &["rev-parse", "--short", "HEAD"])?),
        machine: format!("{cores} cores, {}", told("uname", &["-srm"])?),
    })
}

/// The part of the page that is generated.
fn section(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "### {}\n\n{}\n", row.proof, row.claim);
        let _ = writeln!(text, "| what was done | |\n|---|---|");
        for Fact { name, value } in &row.facts {
            let _ = writeln!(text, "| {} | {} |", cell(name), cell(&shown(value)));
        }
        let held = row.held.as_ref();
        let held = held.map_or_else(String::new, |held| {
            format!("{}, commit {}, {}, debug build", held.date, held.commit, held.machine)
        });
        let _ = writeln!(text, "\nIt held: {held}.\n");
    }
    text
}

/// Text that does not end its cell or its line.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Numbers with their thousands apart, but seeds and other names of things as they are.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.to_string().len() <= 12 && !number.is_f64() => {
            let digits = number.to_string();
            let mut apart = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0
                    && digit.is_ascii_digit()
                    && (digits.len() - index).is_multiple_of(3)
                    && !apart.ends_with('-')
                {
                    apart.push(',');
                }
                apart.push(digit);
            }
            apart
        }
        other => other.to_string(),
    }
}

/// `page` with `section` between its two marks; everything around them was written by hand and stays.
fn replaced(page: &str, section: &str) -> Result<String> {
    let Some((before, rest)) = page.split_once(BEGIN) else { bail!("{REPORT} lacks the line {BEGIN}") };
    let Some((_, after)) = rest.split_once(END) else { bail!("{REPORT} lacks the line {END}") };
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", section.trim_end()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(proof: &str, held: Option<Held>) -> Row {
        let fact = |name: &str, value| Fact { name: name.to_owned(), value };
        let facts = vec![fact("kills", json!(1_250)), fact("engines | both", json!("SQLite"))];
        Row { proof: proof.to_owned(), claim: "Nothing is lost.".to_owned(), facts, held }
    }

    fn held() -> Held {
        Held { date: "2026-01-01".to_owned(), commit: "abc".to_owned(), machine: "2 cores".to_owned() }
    }

    #[test]
    fn all_proofs_run_unless_some_are_named() {
        assert!(arguments(&[]).contains(&"proofs::".to_owned()));
        let some = arguments(&["crash".to_owned(), "races".to_owned()]);
        let filters: Vec<&String> = some.iter().filter(|argument| argument.starts_with("proofs::")).collect();
        assert_eq!(filters, ["proofs::crash", "proofs::races"]);
        assert!(some.contains(&"--locked".to_owned()));
    }

    #[test]
    fn a_row_tells_what_was_done_and_when_it_held() {
        let text = section(&[row("crash", Some(held()))]);
        for part in ["### crash\n\nNothing is lost.\n", "| kills | 1,250 |", "| engines \\| both | SQLite |"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("It held: 2026-01-01, commit abc, 2 cores, debug build."), "{text}");
    }

    #[test]
    fn numbers_are_readable_and_seeds_can_be_copied() {
        let cases = [
            (json!(7), "7"),
            (json!(999), "999"),
            (json!(1_234_567), "1,234,567"),
            (json!(-1_000), "-1,000"),
        ];
        for (value, text) in cases {
            assert_eq!(shown(&value), text);
        }
        assert_eq!(shown(&json!(1_763_777_777_123_456_789_u64)), "1763777777123456789");
        assert_eq!(shown(&json!(1.5)), "1.5");
    }

    #[test]
    fn what_was_written_by_hand_stays() {
        let page = format!("# Title\n{BEGIN}\nold\n{END}\n## Findings\nmine\n");
        let once = replaced(&page, "new\n").unwrap();
        assert_eq!(once, format!("# Title\n{BEGIN}\n\nnew\n\n{END}\n## Findings\nmine\n"));
        assert_eq!(replaced(&once, "new\n").unwrap(), once);
        assert!(replaced("# Title", "new").is_err());
        assert!(replaced(BEGIN, "new").is_err());
    }

    #[test]
    fn only_new_rows_are_stamped() {
        let folder = tempfile::tempdir().unwrap();
        assert!(stamp(folder.path(), &held()).is_err());
        let earlier = Held { date: "2025-12-31".to_owned(), ..held() };
        for row in [row("races", None), row("crash", Some(earlier))] {
            let path = folder.path().join(format!("{}.json", row.proof));
            fs::write(path, serde_json::to_string(&row).unwrap()).unwrap();
        }
        for _ in 0..2 {
            let rows = stamp(folder.path(), &held()).unwrap();
            let dates: Vec<(&str, &str)> = rows
                .iter()
                .map(|row| (row.proof.as_str(), row.held.as_ref().unwrap().date.as_str()))
                .collect();
            assert_eq!(dates, [("crash", "2025-12-31"), ("races", "2026-01-01")]);
        }
    }
}
