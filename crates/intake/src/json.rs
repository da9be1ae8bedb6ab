//! JSON as it arrives. A body that names a field twice is refused whole, for nobody can tell which of the two was meant:
//! a danger sign must not vanish behind a second, calmer answer.

use std::cell::Cell;
use std::fmt;

use lasegue_protocol::record::{Fault, shown};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

/// What some senders put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The most values of one JSON text, objects and lists among them: those of 2,000 visits of which everything is known. A
/// value takes many times the room in memory that it takes in the text.
const MOST_VALUES: usize = 250_000;

/// Reads a body in UTF-8, with or without a byte order mark.
///
/// # Errors
/// One fault, with line and column, when it is no JSON or names a field twice.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Fault> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    whole(bytes).map_err(|error| fault("", format!("is not readable as JSON: {error}")))
}

/// The one value that a text holds.
fn whole(bytes: &[u8]) -> serde_json::Result<Value> {
    let room = Cell::new(MOST_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Unambiguous(&room).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a refused body, which may be in UTF-16 as well.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_refused(bytes: &[u8]) -> Result<Value, Fault> {
    match from_utf16(bytes) {
        Some(text) => read(text.as_bytes()),
        None => read(bytes),
    }
}

/// The text of a body that begins as one in UTF-16 does: with its mark, or with a sign of ASCII in two bytes.
fn from_utf16(bytes: &[u8]) -> Option<String> {
    let (of_two, marked): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, ..] => (u16::from_le_bytes, true),
        [0xfe, 0xff, ..] => (u16::from_be_bytes, true),
        [1..=u8::MAX, 0, ..] => (u16::from_le_bytes, false),
        [0, 1..=u8::MAX, ..] => (u16::from_be_bytes, false),
        _ => return None,
    };
    let units = bytes.chunks_exact(2).skip(usize::from(marked)).map(|two| of_two([two[0], two[1]]));
    Some(char::decode_utf16(units).map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// The JSON of one of our own types.
pub(crate) fn of<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("our types have texts as keys and finite numbers, which JSON can hold")
}

/// The one text of a value, whatever the order of its fields was.
pub(crate) fn canonical(mut value: Value) -> String {
    value.sort_all_objects();
    value.to_string()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    Sha256::digest(bytes).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(crate) fn fault(pointer: &str, reason: impl Into<String>) -> Fault {
    Fault { pointer: pointer.to_owned(), reason: reason.into() }
}

/// Lays a merge patch (RFC 7396) over a document: null removes a field, a list is replaced whole.
pub(crate) fn merge(document: &mut Value, patch: Value) {
    let Value::Object(changes) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Some(fields) = document.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// Reads a value in which no object names a field twice, as long as there is room for its parts.
#[derive(Clone, Copy)]
struct Unambiguous<'r>(&'r Cell<usize>);

impl<'de> DeserializeSeed<'de> for Unambiguous<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(room) = self.0.get().checked_sub(1) else {
            return Err(D::Error::custom(format!("it holds more than {MOST_VALUES} values")));
        };
        self.0.set(room);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the field \"{}\" is named twice", shown(&name))));
            }
            let value = fields.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_named_twice_is_refused_at_any_depth() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":"yes","c":2,"a":"no"}]}"#] {
            let refusal = read(twice.as_bytes()).expect_err("nobody can tell which was meant");
            assert!(refusal.reason.contains("the field \"a\" is named twice at line 1"), "{refusal}");
        }
        assert!(read(br#"[{"a":1},{"a":1}]"#).is_ok());
    }

    #[test]
    fn what_is_no_json_is_one_fault() {
        for broken in ["", "{", "{} {}", "\u{fffd}", "[1,]"] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(read(b"\"\xff\"").is_err(), "no UTF-8");
        for deep in ["[", "{\"a\":", "[{\"a\":["] {
            assert!(read(deep.repeat(500_000).as_bytes()).is_err(), "too deep: {deep}");
            assert!(read_refused(deep.repeat(500_000).as_bytes()).is_err(), "too deep: {deep}");
        }
        for number in ["1e400", "-1e400", "{\"pain\":1e400}"] {
            assert!(read(number.as_bytes()).is_err(), "no number is as large: {number}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_fault_and_a_refused_body_may_be_in_utf_16() {
        let text = "{\"saddle_sensation\":\"yes\",\"note\":\"\u{e9}\u{1f600}\"}";
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()), Ok(value.clone()));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: [u8; 2], body: &[u8]| [&mark[..], body].concat();
        for body in [marked([0xff, 0xfe], &little), marked([0xfe, 0xff], &big), little, big] {
            assert!(read(&body).is_err());
            assert_eq!(read_refused(&body), Ok(value.clone()));
        }
    }

    #[test]
    fn a_text_of_more_values_than_any_record_has_is_refused() {
        let list = |length: usize| format!("[{}0]", "0,".repeat(length - 1));
        assert!(read(list(MOST_VALUES - 1).as_bytes()).is_ok(), "the list is a value too");
        let refusal = read(list(MOST_VALUES).as_bytes()).expect_err("it is one more");
        assert!(refusal.reason.contains("more than 250000 values"), "{refusal}");
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_merge_patch_does_what_its_standard_says() {
        for (document, patch, merged) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut document = document;
            merge(&mut document, patch);
            assert_eq!(document, merged);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_the_plain_parser_reads_them_or_refused(text in r#"[\[\]{}",:a1 .eE-]{0,40}"#) {
            if let Ok(value) = read(text.as_bytes()) {
                prop_assert_eq!(Ok(value), serde_json::from_str(&text).map_err(|error| error.to_string()));
            }
        }
    }
}
