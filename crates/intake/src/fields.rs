//! Reading the blocks that only intake knows, such as contact data: every fault of an object at once.

use lasegue_protocol::record::Fault;
use serde_json::{Map, Value};

use crate::json::fault;

/// The fields of an object at some place of a body. Each is taken by its name; what nobody took is a fault.
pub(crate) struct Fields<'a> {
    at: String,
    map: Map<String, Value>,
    known: Vec<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// The fields of `value` at the pointer `at`; noted as a fault when it is no object.
    pub(crate) fn of(at: impl Into<String>, value: Value, faults: &'a mut Vec<Fault>) -> Option<Self> {
        let at = at.into();
        let Value::Object(map) = value else {
            faults.push(fault(&at, "must be an object"));
            return None;
        };
        Some(Self { at, map, known: Vec::new(), faults })
    }

    /// The field `name`, read by `read` with its pointer; a missing one and null are none.
    pub(crate) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value, &mut Vec<Fault>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.map.remove(name).filter(|value| !value.is_null())?;
        read(&format!("{}/{name}", self.at), value, self.faults)
    }

    /// The text `name`, of a form that `fits`; `form` says which.
    pub(crate) fn text(&mut self, name: &'static str, form: &str, fits: fn(&str) -> bool) -> Option<String> {
        self.take(name, |at, value, faults| match value {
            Value::String(text) if fits(&text) => Some(text),
            _ => {
                faults.push(fault(at, format!("must be {form}")));
                None
            }
        })
    }

    /// The text `name`, which must be there.
    pub(crate) fn required_text(&mut self, name: &'static str, form: &str, fits: fn(&str) -> bool) -> Option<String> {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.faults.push(fault(&format!("{}/{name}", self.at), "is required"));
        }
        self.text(name, form, fits)
    }

    /// Whether `name` is true or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.take(name, |at, value, faults| {
            if !value.is_boolean() {
                faults.push(fault(at, "must be true or false"));
            }
            value.as_bool()
        })
    }

    /// What nobody took, for another reader.
    pub(crate) fn rest(self) -> Value {
        Value::Object(self.map)
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) {
        for name in self.map.keys() {
            let pointer = format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"));
            self.faults.push(fault(&pointer, format!("is no field here; allowed: {}", self.known.join(", "))));
        }
    }
}
