//! JSON as it arrives. A body that names a field twice is refused whole, for nobody can tell which of the two was meant:
//! a danger sign must not vanish behind a second, calmer answer.

use lasegue_protocol::json::{self, Room};
use lasegue_protocol::record::Fault;
use serde::ser::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What some senders put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a body in UTF-8, with or without a byte order mark.
///
/// # Errors
/// One fault, with line and column, when it is no JSON or names a field twice.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Fault> {
    understood(json::read(unmarked(bytes), &Room::default()))
}

fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

fn understood(read: serde_json::Result<Value>) -> Result<Value, Fault> {
    read.map_err(|error| fault("", format!("is not readable as JSON: {error}")))
}

/// Reads a refused body, which may be in UTF-16 as well. Of a field that is named twice both values are read.
///
/// # Errors
/// When it is no JSON, or more than anybody reads.
pub(crate) fn read_refused(bytes: &[u8]) -> Result<Value, Fault> {
    let text = from_utf16(bytes).map(String::into_bytes);
    understood(json::read_everything(unmarked(text.as_deref().unwrap_or(bytes)), &Room::default()))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
}
