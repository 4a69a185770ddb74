//! The API document: complete, and every code it names has a page.

use serde_json::Value;

/// Every string below `value` that is a code of this service.
fn codes(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| codes(value, found)),
        Value::Array(items) => items.iter().for_each(|value| codes(value, found)),
        Value::String(text) if text.starts_with("customers.") => found.push(text.clone()),
        _ => {}
    }
}

#[test]
fn every_code_has_a_page_and_every_operation_says_who_may_call_it() {
    let document = serde_json::to_value(customers::openapi()).unwrap();
    let mut found = Vec::new();
    codes(&document, &mut found);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 6, "{found:?}");
    for code in found {
        let page = format!("{}/../../../docs/errors/{code}.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{code} has no page"));
        assert!(text.starts_with(&format!("# {code}\n")), "{code}");
    }
    let mut operations = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let callers = operation["security"][0]["bearer"].as_array().unwrap();
            assert_eq!(callers.len(), 1);
            assert!(operation["description"].is_string() && operation["summary"].is_string(), "{operation}");
            assert_eq!(operation["tags"], serde_json::json!(["customers"]));
            operations += 1;
        }
    }
    assert_eq!(operations, 13);
}
