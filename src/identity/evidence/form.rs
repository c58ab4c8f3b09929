//! The canonical form of JSON: the same value is always the same bytes, so that a hash over it can be reckoned again.

use serde_json::Value;

/// Returns the canonical text: keys in the order of their bytes, no white space, strings with the fewest escapes.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            // Whether a map keeps the order of its keys is a feature that any other crate may turn on.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, field)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(field, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Returns the value with every number that is no integer as text: a fraction may lose a digit when it is read again.
pub(super) fn settled(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number.to_string().into(),
        Value::Array(items) => items.iter().map(settled).collect(),
        Value::Object(fields) => fields.iter().map(|(key, field)| (key.clone(), settled(field))).collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_does_not_depend_on_the_order_of_keys() {
        let value = json!({"b": [1, "x\n\"é\u{202e}"], "a": {"d": null, "c": true}, "": -5});
        assert_eq!(canonical(&value), "{\"\":-5,\"a\":{\"c\":true,\"d\":null},\"b\":[1,\"x\\n\\\"é\u{202e}\"]}");
    }
}
