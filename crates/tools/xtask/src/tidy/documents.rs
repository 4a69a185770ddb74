//! Every error code that a caller or an importer can meet has a page of one shape, and everything in the API
//! document says what it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::access::OPENAPI;
use super::source::Token;
use super::workspace::Workspace;

const RULE: &str = "documents";
const PROBLEM: &str = "application/problem+json";
const PAGES: &str = "docs/errors/";
/// What the page of a code says that no answer has, but the report of an import.
const IMPORT: &str = "**Import report**";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings: Vec<Finding> = refusals_of_imports(workspace).collect();
    findings.extend(workspace.files.iter().filter_map(|(path, text)| misshapen(path, text)));
    let text = workspace.file(OPENAPI).unwrap_or_default();
    // A missing or broken document is a finding of `access`.
    let Ok(document) = serde_json::from_str::<Value>(text) else { return findings };
    let mut codes = BTreeSet::new();
    collect(&document, &document, &mut codes);
    let missing = codes.into_iter().filter(|code| workspace.file(&page(code)).is_none());
    findings.extend(missing.map(|code| {
        let advice = format!("the API answers `{code}`: say in {} what happened and what to do", page(&code));
        finding(OPENAPI, 1, advice)
    }));
    let mut silent = Vec::new();
    undescribed(&document, "", &mut silent);
    findings.extend(silent.into_iter().map(|at| finding(OPENAPI, 1, format!("say what {at} is"))));
    findings
}

fn finding(file: &str, line: usize, advice: String) -> Finding {
    Finding { file: file.to_owned(), line, rule: RULE, advice }
}

fn page(code: &str) -> String {
    format!("{PAGES}{code}.md")
}

/// A page is a title, the status or where else the code stands, and paragraphs: what happened, what to do.
fn misshapen(path: &str, text: &str) -> Option<Finding> {
    let code = path.strip_prefix(PAGES)?.strip_suffix(".md")?;
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let advice = if next() != format!("# {code}") || !next().is_empty() {
        "begin with the code as the title, then an empty line"
    } else if !is_place(next()) || !next().is_empty() {
        "the third line is `**Status** 409` or `**Import report**`, then comes an empty line"
    } else if next().is_empty() || text.contains("\n#") {
        "go on with what happened and what to do, in paragraphs without headings"
    } else {
        return None;
    };
    Some(finding(path, 1, advice.to_owned()))
}

fn is_place(line: &str) -> bool {
    let status = line.strip_prefix("**Status** ").and_then(|status| status.parse::<u16>().ok());
    line == IMPORT || status.is_some_and(|status| (400..600).contains(&status))
}

/// The codes in reports of imports stand in the code alone: `Verdict::refused("…"` and `Refusal::new("…"`.
fn refusals_of_imports(workspace: &Workspace) -> impl Iterator<Item = Finding> {
    let named = |tokens: &[Token]| {
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        matches!(words[..4], ["Verdict", "::", "refused", "("] | ["Refusal", "::", "new", "("])
    };
    workspace.sources.iter().flat_map(move |source| {
        let codes = source.tokens.windows(5).filter(move |tokens| named(tokens)).map(|tokens| &tokens[4]);
        codes.filter_map(|token| {
            let code = syn::parse_str::<syn::LitStr>(&token.text).ok()?.value();
            let advice = format!("an import is refused with `{code}`: say in {} what to do", page(&code));
            workspace.file(&page(&code)).is_none().then(|| finding(&source.path, token.line, advice))
        })
    })
}

/// Collects the parameters and the members of schemas below `value` that nothing is said about.
fn undescribed(value: &Value, at: &str, silent: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let here = format!("{at}/{name}");
                match (name.as_str(), member) {
                    ("properties", Value::Object(properties)) => {
                        let without = properties.iter().filter(|(_, property)| !is_described(property));
                        silent.extend(without.map(|(property, _)| format!("{here}/{property}")));
                        // A member may be called `properties` too, so its names are not read as keywords.
                        for (property, schema) in properties {
                            undescribed(schema, &format!("{here}/{property}"), silent);
                        }
                        continue;
                    }
                    ("parameters", Value::Array(parameters)) => {
                        let without = parameters.iter().filter(|parameter| !is_described(parameter));
                        silent.extend(without.map(|parameter| format!("{here}/{}", parameter["name"])));
                    }
                    _ => {}
                }
                undescribed(member, &here, silent);
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| undescribed(item, &format!("{at}/{index}"), silent));
        }
        _ => {}
    }
}

/// By itself, or by its one alternative beside null. The enumerated code of a problem describes itself, and so
/// does the one value of a tag.
fn is_described(value: &Value) -> bool {
    let first = value.pointer("/oneOf/0/description");
    value.get("description").or(first).is_some() || value.get("enum").is_some()
}

/// Collects the codes of every problem response below `value`.
fn collect(document: &Value, value: &Value, codes: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.get("schema") {
                    Some(schema) if name == PROBLEM => collect_codes(document, schema, codes),
                    _ => collect(document, field, codes),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(document, value, codes)),
        _ => {}
    }
}

/// Collects what `code` may be according to a schema, through references and combinations.
fn collect_codes(document: &Value, schema: &Value, codes: &mut BTreeSet<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        if let Some(schema) = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) {
            collect_codes(document, schema, codes);
        }
        return;
    }
    for combination in ["allOf", "anyOf", "oneOf"] {
        let schemas = schema.get(combination).and_then(Value::as_array);
        schemas.into_iter().flatten().for_each(|schema| collect_codes(document, schema, codes));
    }
    if let Some(code) = schema.pointer("/properties/code") {
        let listed = code.get("enum").and_then(Value::as_array).into_iter().flatten();
        codes.extend(listed.chain(code.get("const")).filter_map(Value::as_str).map(str::to_owned));
    }
}
