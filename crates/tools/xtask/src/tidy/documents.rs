//! Every error code that the API document names has a page.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::access::OPENAPI;
use super::workspace::Workspace;

const RULE: &str = "documents";
const PROBLEM: &str = "application/problem+json";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let text = workspace.file(OPENAPI).unwrap_or_default();
    // A missing or broken document is a finding of `access`.
    let Ok(document) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut codes = BTreeSet::new();
    collect(&document, &document, &mut codes);
    let missing = codes.into_iter().filter(|code| workspace.file(&page(code)).is_none());
    missing
        .map(|code| {
            let advice =
                format!("the API answers `{code}`: say in {} what happened and what to do", page(&code));
            Finding { file: OPENAPI.to_owned(), line: 1, rule: RULE, advice }
        })
        .collect()
}

fn page(code: &str) -> String {
    format!("docs/errors/{code}.md")
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
