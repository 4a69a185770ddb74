//! The operations of the API document, with requests that are made from it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::api::Api;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The document that a shop shows.
pub struct Operations {
    document: Value,
}

/// One operation.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    document: &'a Value,
    operation: &'a Value,
    pub path: &'a str,
    method: &'a str,
}

impl Operations {
    pub async fn of(api: &Api) -> Self {
        Self { document: api.get("/openapi.json").expect(200).await.body }
    }

    /// Every operation of the document.
    pub fn all(&self) -> Vec<Operation<'_>> {
        let mut all = Vec::new();
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if METHODS.contains(&method.as_str()) {
                    all.push(Operation { document: &self.document, operation, path, method });
                }
            }
        }
        assert!(all.len() > 80, "the document lists {} operations", all.len());
        all
    }
}

impl<'a> Operation<'a> {
    pub fn method(&self) -> Method {
        self.method.to_uppercase().parse().unwrap()
    }

    /// `GET /v1/orders/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// Whether nobody needs to say who they are.
    pub fn is_open(&self) -> bool {
        self.alternatives().any(|alternative| alternative.as_object().unwrap().is_empty())
    }

    /// Who may call it by showing who they are, as in `customer` and `staff:orders`.
    pub fn callers(&self) -> Vec<&'a str> {
        self.alternatives().filter_map(|alternative| alternative["bearer"][0].as_str()).collect()
    }

    fn alternatives(&self) -> impl Iterator<Item = &'a Value> {
        self.operation["security"].as_array().unwrap().iter()
    }

    /// Its parameters that stand in `place`, with what an id of them begins with.
    pub fn parameters(&self, place: &str) -> Vec<(&'a str, Option<String>)> {
        self.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == place)
            .map(|parameter| (parameter["name"].as_str().unwrap(), self.id_prefix(&parameter["schema"])))
            .collect()
    }

    /// The members of its JSON body that hold ids, as in `lines[*].variant_id`, with what those begin with.
    pub fn body_ids(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(schema) = self.body_schema() {
            self.collect_ids(schema, "", &mut found, 0);
        }
        found
    }

    fn collect_ids(&self, schema: &'a Value, at: &str, found: &mut Vec<(String, String)>, depth: usize) {
        let schema = self.resolve(schema);
        if depth > 6 {
            return;
        }
        if let Some(prefix) = self.id_prefix(schema).filter(|_| !at.is_empty()) {
            found.push((at.to_owned(), prefix));
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let inner = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            self.collect_ids(member, &inner, found, depth + 1);
        }
        if !schema["items"].is_null() {
            self.collect_ids(&schema["items"], &format!("{at}[*]"), found, depth + 1);
        }
    }

    /// The path with each parameter filled by `fill`, which is told its name and what its ids begin with.
    pub fn path(&self, fill: impl Fn(&str, Option<&str>) -> String) -> String {
        let mut path = self.path.to_owned();
        for (name, prefix) in self.parameters("path") {
            path = path.replace(&format!("{{{name}}}"), &fill(name, prefix.as_deref()));
        }
        path
    }

    fn body_schema(&self) -> Option<&'a Value> {
        self.operation.pointer("/requestBody/content/application~1json/schema")
    }

    /// A small JSON body that obeys the schema, when the operation takes one. `ids` are used where they fit.
    pub fn body(&self, ids: &BTreeMap<String, Vec<String>>) -> Option<Value> {
        self.body_schema().map(|schema| self.example(schema, ids))
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let target = self.document.pointer(reference.trim_start_matches('#'));
                self.resolve(target.unwrap_or_else(|| panic!("{reference} is not in the document")))
            }
            None => match schema["oneOf"].as_array() {
                Some(alternatives) if alternatives.iter().any(|one| one["type"] == "null") => {
                    self.resolve(&alternatives[0])
                }
                _ => schema,
            },
        }
    }

    /// `ord` of `^ord_…$`.
    fn id_prefix(&self, schema: &'a Value) -> Option<String> {
        let pattern = self.resolve(schema)["pattern"].as_str()?;
        let (prefix, _) = pattern.strip_prefix('^')?.split_once("_[0-7]")?;
        Some(prefix.to_owned())
    }

    fn example(&self, schema: &'a Value, ids: &BTreeMap<String, Vec<String>>) -> Value {
        let schema = self.resolve(schema);
        let known = self.id_prefix(schema).and_then(|prefix| ids.get(&prefix)?.first().cloned());
        if let Some(id) = known {
            return json!(id);
        }
        for listed in ["examples", "enum"] {
            if let Some(first) = schema[listed].as_array().and_then(|values| values.first()) {
                return first.clone();
            }
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema["oneOf"].as_array().and_then(|schemas| schemas.first()) {
            return self.example(first, ids);
        }
        let kind = match &schema["type"] {
            Value::Array(types) => types[0].as_str(),
            kind => kind.as_str(),
        };
        match kind.unwrap_or("object") {
            "string" => json!(self.example_text(schema)),
            "integer" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            "boolean" => json!(true),
            "array" => {
                let count = schema["minItems"].as_u64().unwrap_or(0);
                (0..count).map(|_| self.example(&schema["items"], ids)).collect()
            }
            _ => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let member = |name: &str| (name.to_owned(), self.example(&schema["properties"][name], ids));
                Value::Object(required.map(member).collect::<Map<_, _>>())
            }
        }
    }

    fn example_text(&self, schema: &Value) -> String {
        match schema["format"].as_str() {
            Some("date-time") => return "2026-01-01T00:00:00.000000Z".to_owned(),
            Some("date") => return "2026-01-01".to_owned(),
            Some("email") => return "somebody@example.com".to_owned(),
            _ => {}
        }
        let length = schema["minLength"].as_u64().unwrap_or(1).max(1);
        "x".repeat(usize::try_from(length).unwrap())
    }
}
