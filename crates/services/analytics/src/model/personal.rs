use serde_json::{Map, Value};

/// Takes what is about a person out of `message`: `traits`, `context.traits` and `context.ip`. Answers with
/// an object of the same shape, or `None` when there is nothing of the kind.
pub(crate) fn take_personal(message: &mut Map<String, Value>) -> Option<Value> {
    let mut personal = Map::new();
    move_member(message, &mut personal, "traits");
    if let Some(Value::Object(context)) = message.get_mut("context") {
        let mut inner = Map::new();
        move_member(context, &mut inner, "traits");
        move_member(context, &mut inner, "ip");
        if !inner.is_empty() {
            personal.insert("context".to_owned(), Value::Object(inner));
        }
    }
    (!personal.is_empty()).then_some(Value::Object(personal))
}

fn move_member(from: &mut Map<String, Value>, to: &mut Map<String, Value>, name: &str) {
    if let Some(value) = from.remove(name) {
        to.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_taken_out_is_all_that_goes() {
        let message = json!({
            "event": "x", "traits": {"email": "ada@example.com"},
            "context": {"ip": "192.0.2.1", "traits": {"name": "Ada"}, "locale": "de"},
        });
        let Value::Object(mut message) = message else { panic!("an object") };
        let personal = take_personal(&mut message);
        assert_eq!(Value::Object(message.clone()), json!({"event": "x", "context": {"locale": "de"}}));
        let expected = json!({
            "traits": {"email": "ada@example.com"}, "context": {"ip": "192.0.2.1", "traits": {"name": "Ada"}},
        });
        assert_eq!(personal, Some(expected));
        assert_eq!(take_personal(&mut message), None);
    }
}
