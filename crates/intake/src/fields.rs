//! Reading the blocks that only intake knows, such as contact data: every fault of an object at once.

use lasegue_platform::http::problem::MOST_FAULTS;
use lasegue_protocol::record::{Fault, shown};
use lasegue_values::Name;
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

    /// The text `name`, trimmed, of a form that `fits`; `form` says which.
    pub(crate) fn text(&mut self, name: &'static str, form: &str, fits: fn(&str) -> bool) -> Option<String> {
        self.parsed(name, |text| Some(text.trim()).filter(|text| fits(text)).map(str::to_owned).ok_or(form.to_owned()))
    }

    /// The text `name`, of one line.
    pub(crate) fn name(&mut self, name: &'static str) -> Option<String> {
        self.parsed(name, |text| Name::parse(text).map(String::from).map_err(|unfit| unfit.to_string()))
    }

    /// The text `name`, of one line, which must be there.
    pub(crate) fn required_name(&mut self, name: &'static str) -> Option<String> {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.faults.push(fault(&format!("{}/{name}", self.at), "is required"));
        }
        self.name(name)
    }

    fn parsed(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<String, String>) -> Option<String> {
        self.take(name, |at, value, faults| {
            let parsed = value.as_str().ok_or_else(|| "must be a text".to_owned()).and_then(parse);
            parsed.map_err(|reason| faults.push(fault(at, reason))).ok()
        })
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

    /// Refuses what nobody took, up to [`MOST_FAULTS`].
    pub(crate) fn finish(self) {
        for name in self.map.keys().take(MOST_FAULTS.saturating_sub(self.faults.len())) {
            let pointer = format!("{}/{}", self.at, shown(name).replace('~', "~0").replace('/', "~1"));
            self.faults.push(fault(&pointer, format!("is no field here; allowed: {}", self.known.join(", "))));
        }
    }
}
