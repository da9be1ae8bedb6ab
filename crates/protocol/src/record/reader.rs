//! Reading JSON tolerantly: a fault is noted with its pointer and reading goes on.
//!
//! `null` reads as a missing field. A field that no reader asked for is a fault, so that a
//! misspelt danger sign is never silently dropped.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::suggest::nearest;

use super::Fault;

/// No more faults than this are kept of one document; the first ones are the useful ones.
const MAX_FAULTS: usize = 1_000;

/// Room for the fields of the largest object.
const MOST_FIELDS: usize = 18;

/// The faults of one document so far.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn into_inner(self) -> Vec<Fault> {
        self.0.into_inner()
    }

    fn note(&self, pointer: String, reason: String) {
        let mut faults = self.0.borrow_mut();
        if faults.len() < MAX_FAULTS {
            faults.push(Fault { pointer, reason });
        }
    }
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

#[derive(Clone, Copy)]
struct Path<'a>(Step<'a>);

impl Path<'_> {
    fn pointer(&self) -> String {
        match self.0 {
            Step::Root => String::new(),
            Step::Name(parent, name) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{}/{name}", parent.pointer())
            }
            Step::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// A value at its place in the document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: Path<'a>,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value, faults: &'a Faults) -> Self {
        Self { value, path: Path(Step::Root), faults }
    }

    /// Notes what is wrong here; `None`, so that a reader can end with it.
    pub(super) fn refuse<T>(&self, reason: impl Into<String>) -> Option<T> {
        self.faults.note(self.path.pointer(), reason.into());
        None
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value.as_str() {
            Some(text) => Some(text),
            None => self.refuse("must be a string"),
        }
    }

    pub(super) fn fields(&self) -> Option<Fields<'_>> {
        match self.value.as_object() {
            Some(map) => Some(Fields {
                map,
                path: &self.path,
                faults: self.faults,
                known: Vec::with_capacity(MOST_FIELDS),
                present: 0,
            }),
            None => self.refuse("must be an object"),
        }
    }

    /// Reads each valid element of a list of at most `max`.
    pub(super) fn each<T>(&self, max: usize, read: fn(&Node) -> Option<T>) -> Option<Vec<T>> {
        let Some(list) = self.value.as_array() else {
            return self.refuse("must be a list");
        };
        if list.len() > max {
            self.refuse::<()>(format!("must have at most {max} elements"));
        }
        let element = |(index, value)| {
            let path = Path(Step::Index(&self.path, index));
            read(&Node { value, path, faults: self.faults })
        };
        Some(list.iter().take(max).enumerate().filter_map(element).collect())
    }
}

/// The fields of one object; each is named once, and [`Fields::finish`] refuses the others.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: &'a Path<'a>,
    faults: &'a Faults,
    known: Vec<&'static str>,
    /// How many of the known fields are there.
    present: usize,
}

impl<'a> Fields<'a> {
    /// A field that may be missing; `None` too when it is faulty.
    pub(super) fn optional<T>(&mut self, name: &'static str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
        let value = self.know(name).filter(|value| !value.is_null())?;
        read(&Node { value, path: Path(Step::Name(self.path, name)), faults: self.faults })
    }

    /// A field that must be there; a missing one is a fault.
    pub(super) fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
        if self.map.get(name).is_none_or(Value::is_null) {
            let pointer = Path(Step::Name(self.path, name)).pointer();
            self.faults.note(pointer, "is required".to_owned());
        }
        self.optional(name, read)
    }

    /// A block of fields: a missing one is an empty one.
    pub(super) fn block<T: Default>(&mut self, name: &'static str, read: impl FnOnce(&Node) -> Option<T>) -> T {
        self.optional(name, read).unwrap_or_default()
    }

    /// Accepts a field without reading it.
    pub(super) fn ignore(&mut self, name: &'static str) {
        self.know(name);
    }

    fn know(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        let value = self.map.get(name);
        self.present += usize::from(value.is_some());
        value
    }

    /// Refuses every field that was not asked for.
    pub(super) fn finish(self) {
        if self.present == self.map.len() {
            return;
        }
        let unknown = |name: &&String| !self.known.contains(&name.as_str());
        for name in self.map.keys().filter(unknown) {
            let pointer = Path(Step::Name(self.path, name)).pointer();
            self.faults.note(pointer, self.reason_unknown(name));
        }
    }

    fn reason_unknown(&self, name: &str) -> String {
        match nearest(name, self.known.iter().copied()) {
            Some(known) => format!("is no field of the format; did you mean \"{known}\"?"),
            None => format!("is no field of the format; allowed here: {}", self.known.join(", ")),
        }
    }
}
