//! The API document of this service.

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(payments::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                operations.push((format!("{method} {path}"), operation.clone()));
            }
        }
    }
    operations.sort_by(|one, two| one.0.cmp(&two.0));
    operations
}

#[test]
fn it_has_every_route_and_says_who_may_call_it() {
    let document = document();
    let readers = ["staff:orders", "staff:payments", "staff:support"];
    let expected = [
        ("get /sandbox/challenges/{challenge}", vec![]),
        ("get /v1/admin/payments", readers.to_vec()),
        ("get /v1/payments/{id}", [&["customer"], &readers[..]].concat()),
        ("get /v1/payments/{id}/refunds", [&["customer"], &readers[..]].concat()),
        ("post /sandbox/challenges/{challenge}", vec![]),
        ("post /v1/payments/{id}/refunds", vec!["staff:payments"]),
        ("post /webhooks/{provider}", vec![]),
    ];
    let found = operations(&document);
    assert_eq!(found.len(), expected.len());
    for ((name, operation), (expected, callers)) in found.iter().zip(expected) {
        assert_eq!(name, expected);
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{name} says nobody"));
        let named: Vec<&str> = security.iter().filter_map(|it| it["bearer"][0].as_str()).collect();
        assert_eq!(named, callers, "{name}");
        for member in ["summary", "description", "operationId"] {
            assert!(
                operation[member].as_str().is_some_and(|text| !text.is_empty()),
                "{name} has no {member}"
            );
        }
        assert_eq!(operation["tags"][0], "payments", "{name}");
    }
}

/// A code that the document names has a page that explains it.
#[test]
fn every_code_has_a_page() {
    let text = document().to_string();
    let codes: std::collections::BTreeSet<&str> = text
        .split('"')
        .filter(|word| {
            word.strip_prefix("payments.")
                .is_some_and(|rest| rest.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()))
        })
        .collect();
    assert!(codes.len() >= 8, "{codes:?}");
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/errors");
    for code in codes {
        let page = std::fs::read_to_string(format!("{pages}/{code}.md"));
        let page = page.unwrap_or_else(|_| panic!("docs/errors/{code}.md is missing"));
        assert!(page.starts_with(&format!("# {code}\n")), "{code}");
    }
}
