//! What a call did, as far as its path does not say it: what came of it, and the old and new values of what it changed.

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What a call did.
#[derive(Clone, Debug, Default)]
pub struct Deed {
    pub(super) object: Option<Uuid>,
    pub(super) change: Option<Value>,
}

impl Deed {
    /// Something about `object`, which its path does not name.
    #[must_use]
    pub fn about(object: Uuid) -> Self {
        Self { object: Some(object), change: None }
    }

    /// `before` became `after`: every value that differs is kept as it was and as it is.
    #[must_use]
    pub fn changing(self, before: &Value, after: &Value) -> Self {
        let mut changes = Map::new();
        compare("", Some(before), Some(after), &mut changes);
        Self { change: Some(Value::Object(changes)), ..self }
    }
}

/// Notes what differs under its JSON Pointer. Lists are compared whole.
fn compare(pointer: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Map<String, Value>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
            for name in names {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                compare(&pointer, old.get(name), new.get(name), changes);
            }
        }
        (before, after) => {
            changes.insert(pointer.to_owned(), json!({ "old": before, "new": after }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_differs_is_kept_as_it_was_and_as_it_is() {
        let before = json!({ "patient": { "birth_date": "1970-01-02", "sex": "female" }, "a/b": [1, 2], "gone": "x" });
        let after =
            json!({ "patient": { "birth_date": "1971-01-02", "sex": "female" }, "a/b": [1], "come": { "y": 1 } });
        let change = Deed::default().changing(&before, &after).change;
        let expected = json!({
            "/patient/birth_date": { "old": "1970-01-02", "new": "1971-01-02" },
            "/a~1b": { "old": [1, 2], "new": [1] },
            "/gone": { "old": "x", "new": null },
            "/come": { "old": null, "new": { "y": 1 } },
        });
        assert_eq!(change, Some(expected));
    }
}
