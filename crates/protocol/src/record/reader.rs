//! Reading JSON tolerantly: a fault is noted with its pointer and reading goes on.
//!
//! `null` reads as a missing field. A field that no reader asked for is a fault, so that a
//! misspelt danger sign is never silently dropped.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::suggest::nearest;

use super::Fault;

/// No more faults than this are kept of one document; the first ones are the useful ones.
const MAX_FAULTS: usize = 1_000;

/// No more than this of a field's name stands in a pointer, in characters.
const LONGEST_NAME: usize = 64;

/// Room for the fields of the largest object.
const MOST_FIELDS: usize = 18;

/// The faults of one document so far.
#[derive(Default)]
pub(super) struct Faults {
    found: RefCell<Vec<Fault>>,
    kept: bool,
}

impl Faults {
    /// For what was accepted once, perhaps by an earlier version that allowed more: its texts and times are taken as they
    /// are.
    pub(super) fn of_kept() -> Self {
        Self { kept: true, ..Self::default() }
    }

    pub(super) fn into_inner(self) -> Vec<Fault> {
        self.found.into_inner()
    }

    /// Notes a fault, unless there are enough of them: then neither its place nor its reason is even written down.
    fn note(&self, fault: impl FnOnce() -> Fault) {
        let mut faults = self.found.borrow_mut();
        if faults.len() < MAX_FAULTS {
            faults.push(fault());
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
                format!("{}/{}", parent.pointer(), shown(name).replace('~', "~0").replace('/', "~1"))
            }
            Step::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// A field's name as a pointer may hold it: whatever the sender made of it, short and without control characters.
pub fn shown(name: &str) -> Cow<'_, str> {
    let long = name.chars().nth(LONGEST_NAME).is_some();
    if !long && !name.contains(char::is_control) {
        return Cow::Borrowed(name);
    }
    let mut shown = String::new();
    for c in name.chars().take(LONGEST_NAME) {
        if c.is_control() { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown.push_str(if long { "…" } else { "" });
    Cow::Owned(shown)
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
        self.faults.note(|| Fault { pointer: self.path.pointer(), reason: reason.into() });
        None
    }

    /// Whether this was accepted before, so that no limit may keep it from being read.
    pub(super) fn is_kept(&self) -> bool {
        self.faults.kept
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
        let max = if self.is_kept() { list.len() } else { max };
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
            let pointer = || Path(Step::Name(self.path, name)).pointer();
            self.faults.note(|| Fault { pointer: pointer(), reason: "is required".to_owned() });
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
            let pointer = || Path(Step::Name(self.path, name)).pointer();
            self.faults.note(|| Fault { pointer: pointer(), reason: self.reason_unknown(name) });
        }
    }

    fn reason_unknown(&self, name: &str) -> String {
        match nearest(name, self.known.iter().copied()) {
            Some(known) => format!("is no field of the format; did you mean \"{known}\"?"),
            None => format!("is no field of the format; allowed here: {}", self.known.join(", ")),
        }
    }
}
