use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// Every code that the document names for this service has its page.
#[test]
fn every_error_code_has_a_page() {
    let document = serde_json::to_value(identity::openapi()).unwrap();
    let mut codes = BTreeSet::new();
    collect(&document, &mut codes);
    assert!(codes.contains("identity.bad_credentials"), "{codes:?}");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    for code in codes.iter().filter(|code| code.starts_with("identity.")) {
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}\n")), "docs/errors/{code}.md");
        assert!(page.contains("**Status**"), "docs/errors/{code}.md");
    }
}

fn collect(value: &Value, codes: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(words)) = members.get("code").and_then(|code| code.get("enum")) {
                codes.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            members.values().for_each(|member| collect(member, codes));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, codes)),
        _ => {}
    }
}

/// Who may call what stands in the document, for every operation.
#[test]
fn every_operation_says_who_may_call_it() {
    let document = serde_json::to_value(identity::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path}"));
            let who: Vec<_> = security
                .iter()
                .map(|one| {
                    one["bearer"]
                        .as_array()
                        .map_or("anybody".into(), |scopes| scopes[0].as_str().unwrap().to_owned())
                })
                .collect();
            assert!(
                operation["summary"].is_string() && operation["operationId"].is_string(),
                "{method} {path}"
            );
            operations.push(format!("{method} {path}: {}", who.join(", ")));
        }
    }
    operations.sort();
    assert_eq!(
        operations,
        [
            "delete /v1/auth/sessions/{id}: customer, staff, seller",
            "delete /v1/auth/sessions: customer, staff, seller",
            "get /.well-known/jwks.json: anybody",
            "get /v1/admin/identity/audit: staff:administrator",
            "get /v1/auth/sessions: customer, staff, seller",
            "post /v1/auth/password: customer, staff, seller",
            "post /v1/auth/recover/complete: anybody",
            "post /v1/auth/recover: anybody",
            "post /v1/auth/refresh: anybody",
            "post /v1/auth/signin: anybody",
            "post /v1/auth/signout: customer, staff, seller",
            "post /v1/auth/signup: anybody",
            "post /v1/auth/verify/resend: anybody",
            "post /v1/auth/verify: anybody",
        ]
    );
}
