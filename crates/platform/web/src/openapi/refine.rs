//! What the document says once for all endpoints, because their macros cannot.

use serde_json::{Map, Value, json};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Fields that every endpoint reads in the same way, by the shape of what is taken.
const FIELDS: [(&str, &str); 2] =
    [("If-Match", r#"^"[0-9]{1,18}(\.[0-9a-z]{1,64})?"$"#), ("Idempotency-Key", "^[!-~]{1,255}$")];

/// Corrects `document` in place:
///
/// - A parameter may be absent, but it is never `null`, which only a body can say. A cookie is any text:
///   nobody wrote it by hand, and one that cannot be read is as good as none.
/// - The header fields that this crate reads have the shape in which it takes them.
/// - What a body holds beyond its schema is refused by `ValidJson`, so its schemas are closed. One that says
///   what else it may hold stays open.
pub(super) fn refine(document: &mut Value) {
    let mut bodies = Vec::new();
    for operation in operations(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            correct(parameter);
        }
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        if let Some(schema) = schema.filter(|_| is_strict(operation)) {
            collect(schema, &mut bodies);
        }
    }
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return };
    let mut next = 0;
    while let Some(name) = bodies.get(next).cloned() {
        if let Some(schema) = schemas.get_mut(&name) {
            close(schema);
            collect(schema, &mut bodies);
        }
        next += 1;
    }
}

/// Whether an operation reads its body by `ValidJson`, and so answers `request.validation`.
fn is_strict(operation: &Value) -> bool {
    let refusals = operation.pointer("/responses/400").map(Value::to_string);
    refusals.is_some_and(|refusals| refusals.contains(crate::code::VALIDATION.code))
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths
        .filter_map(|(_, item)| item.as_object_mut())
        .flatten()
        .filter(|(method, _)| METHODS.contains(&method.as_str()))
        .map(|(_, operation)| operation)
}

fn correct(parameter: &mut Value) {
    let field = FIELDS.iter().find(|(name, _)| parameter.get("name").is_some_and(|given| given == name));
    let is_cookie = parameter.get("in").is_some_and(|place| place == "cookie");
    let Some(schema) = parameter.get_mut("schema") else { return };
    if is_cookie {
        *schema = json!({"type": "string"});
        return;
    }
    if let Some((_, pattern)) = field {
        *schema = json!({"type": "string", "pattern": pattern});
        return;
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("oneOf") {
        alternatives.retain(|alternative| alternative != &json!({"type": "null"}));
        if let [only] = alternatives.as_slice() {
            *schema = only.clone();
        }
    }
}

/// The names of the schemas that `value` refers to, each once.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|path| path.strip_prefix("#/components/schemas/"))
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
            members.values().for_each(|member| collect(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// Closes every object of a schema that does not say what else it may hold. Alternatives that are put
/// together stay open, for none of them knows the members of the others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) if members.contains_key("allOf") => {}
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                close_object(members);
            }
            for (name, member) in members {
                match member {
                    // A member may be called `properties` too, so its names are not read as keywords.
                    Value::Object(properties) if name == "properties" => {
                        properties.values_mut().for_each(close);
                    }
                    _ => close(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn close_object(members: &mut Map<String, Value>) {
    members.entry("additionalProperties").or_insert(Value::Bool(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refined(operation: Value, schemas: Value) -> Value {
        let mut document =
            json!({"paths": {"/v1/things": {"post": operation}}, "components": {"schemas": schemas}});
        refine(&mut document);
        document
    }

    #[test]
    fn a_parameter_is_never_null_and_known_fields_have_their_shape() {
        let parameters = json!([
            {"name": "token", "in": "query", "schema": {"type": ["string", "null"]}},
            {"name": "souk-cart", "in": "header", "schema":
                {"oneOf": [{"$ref": "#/components/schemas/CartId"}, {"type": "null"}]}},
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": ["string", "null"]}},
            {"name": "souk_cart", "in": "cookie", "schema": {"$ref": "#/components/schemas/CartId"}},
        ]);
        let document = refined(json!({"parameters": parameters}), json!({}));
        let schema = |index: usize| &document["paths"]["/v1/things"]["post"]["parameters"][index]["schema"];
        assert_eq!(schema(0), &json!({"type": "string"}));
        assert_eq!(schema(1), &json!({"$ref": "#/components/schemas/CartId"}));
        assert_eq!(schema(2), &json!({"type": "string", "pattern": "^[!-~]{1,255}$"}));
        assert_eq!(schema(3), &json!({"type": "string"}));
    }

    #[test]
    fn what_a_body_reaches_is_closed_and_nothing_else() {
        let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}});
        let schemas = json!({
            "New": {"properties": {"inner": {"$ref": "#/components/schemas/Inner"}}},
            "Inner": {"properties": {"name": {"properties": {}}, "properties": {"type": "string"}}},
            "Open": {"properties": {}, "additionalProperties": true},
            "Answer": {"properties": {}},
        });
        let refusals = json!({"400": {"description": "- [`request.validation`](/docs)"}});
        let open = refined(json!({"requestBody": body}), schemas.clone());
        assert_eq!(open["components"]["schemas"], schemas, "what is not read strictly stays open");
        let document = refined(json!({"requestBody": body, "responses": refusals}), schemas);
        let closed = |pointer: &str| document.pointer(&format!("/components/schemas/{pointer}")).cloned();
        assert_eq!(closed("New/additionalProperties"), Some(json!(false)));
        assert_eq!(closed("Inner/additionalProperties"), Some(json!(false)));
        assert_eq!(closed("Inner/properties/name/additionalProperties"), Some(json!(false)));
        assert_eq!(closed("Inner/properties/additionalProperties"), None);
        assert_eq!(closed("Open/additionalProperties"), Some(json!(true)));
        assert_eq!(closed("Answer/additionalProperties"), None);
    }
}
