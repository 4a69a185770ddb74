//! The API document, and whether an answer is one that it promises.

use serde_json::Value;

/// The document that the shop under test shows.
#[derive(Clone, Default)]
pub struct Document(Value);

impl Document {
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// Fails unless `method` on `path` may answer with `status` and, for a problem, with its code.
    pub fn check(&self, method: &str, path: &str, status: u16, body: &Value) {
        if self.0.is_null() || path.starts_with("/docs") || path == "/openapi.json" {
            return;
        }
        self.judge(method, path, status, body).unwrap_or_else(|fault| panic!("{fault}"));
    }

    /// The same as an answer: what is wrong.
    pub fn judge(&self, method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
        let operation = self.operation(method, path);
        let response = &operation["responses"][status.to_string()];
        if response.is_null() {
            return Err(format!("{method} {path} answered {status}, which is not documented: {body}"));
        }
        let Some(code) = body.get("code").and_then(Value::as_str) else { return Ok(()) };
        let codes = self.codes(response);
        if codes.iter().any(|known| known == code) {
            return Ok(());
        }
        Err(format!("{method} {path}: {status} {code} is not among {codes:?}"))
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let (_, item) = self.0["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(template, _)| matches(template, path))
            // `/v1/customers/me` is that and not a customer named `me`.
            .min_by_key(|(template, _)| template.matches('{').count())
            .unwrap_or_else(|| panic!("{path} is not documented"));
        let operation = &item[method.to_lowercase()];
        assert!(!operation.is_null(), "{method} {path} is not documented");
        operation
    }

    /// Every code that the schema of a problem lists.
    fn codes(&self, response: &Value) -> Vec<String> {
        let mut codes = Vec::new();
        self.collect(response, &mut codes, 0);
        codes
    }

    fn collect(&self, value: &Value, codes: &mut Vec<String>, depth: usize) {
        if depth > 12 {
            return;
        }
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let target = self.0.pointer(reference.trim_start_matches('#')).unwrap();
                    return self.collect(target, codes, depth + 1);
                }
                if let Some(Value::Object(code)) = members.get("code") {
                    let listed = code.get("enum").and_then(Value::as_array).into_iter().flatten();
                    codes.extend(listed.filter_map(Value::as_str).map(str::to_owned));
                    codes.extend(code.get("const").and_then(Value::as_str).map(str::to_owned));
                }
                members.values().for_each(|member| self.collect(member, codes, depth + 1));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, codes, depth + 1)),
            _ => {}
        }
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let open_end = template.last().is_some_and(|part| part.starts_with("{*"));
    (template.len() == path.len() || open_end && path.len() >= template.len())
        && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
}
