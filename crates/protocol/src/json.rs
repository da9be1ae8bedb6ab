//! Reading JSON without losing an answer: `serde_json` keeps the last of two fields of one name, and the one before it may be
//! the danger sign. Here nothing is dropped, and a text holds no more than there is room for.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::record::shown;

/// The most values of one JSON text, objects and lists among them: those of 2,000 visits of which everything is known. A
/// value takes many times the room in memory that it takes in the text.
pub const MOST_VALUES: usize = 250_000;

/// How many values may still be read.
#[derive(Debug)]
pub struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Self {
        Self(Cell::new(MOST_VALUES))
    }
}

/// What becomes of two fields of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twice {
    Refused,
    Both,
}

/// Reads the one value that a text holds. A field that is named twice is refused: nobody can tell which was meant.
///
/// # Errors
/// Then, with line and column; when it is no JSON; when there is no room for it.
pub fn read(text: &[u8], room: &Room) -> serde_json::Result<Value> {
    whole(text, Reader { room, twice: Twice::Refused })
}

/// The same for what is refused anyway: fields of one name become a list of all their values.
///
/// # Errors
/// When it is no JSON, or there is no room for it.
pub fn read_everything(text: &[u8], room: &Room) -> serde_json::Result<Value> {
    whole(text, Reader { room, twice: Twice::Both })
}

fn whole(text: &[u8], reader: Reader) -> serde_json::Result<Value> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = reader.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// Reads a value as long as there is room for its parts.
#[derive(Clone, Copy)]
struct Reader<'r> {
    room: &'r Room,
    twice: Twice,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(room) = self.room.0.get().checked_sub(1) else {
            return Err(D::Error::custom(format!("it holds more than {MOST_VALUES} values")));
        };
        self.room.0.set(room);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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
            let known = object.remove(&name);
            if known.is_some() && self.twice == Twice::Refused {
                return Err(A::Error::custom(format!("the field \"{}\" is named twice", shown(&name))));
            }
            let value = fields.next_value_seed(self)?;
            let value = match known {
                Some(known) => Value::Array(vec![known, value]),
                None => value,
            };
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

    fn strictly(text: &str) -> Result<Value, String> {
        read(text.as_bytes(), &Room::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_named_twice_is_refused_at_any_depth() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":"yes","c":2,"a":"no"}]}"#] {
            let refusal = strictly(twice).expect_err("nobody can tell which was meant");
            assert!(refusal.contains("the field \"a\" is named twice at line 1"), "{refusal}");
        }
        assert!(strictly(r#"[{"a":1},{"a":1}]"#).is_ok());
    }

    #[test]
    fn of_what_is_refused_anyway_every_answer_is_read() {
        let everything = |text: &str| read_everything(text.as_bytes(), &Room::default()).expect("JSON");
        assert_eq!(everything(r#"{"b":{"a":"yes","c":2,"a":"no"}}"#), json!({ "b": { "a": ["yes", "no"], "c": 2 } }));
        assert_eq!(everything(r#"{"a":1,"a":2,"a":3}"#), json!({ "a": [[1, 2], 3] }));
    }

    #[test]
    fn a_text_of_more_values_than_any_record_has_is_refused_and_several_share_their_room() {
        let list = |length: usize| format!("[{}0]", "0,".repeat(length - 1));
        assert!(strictly(&list(MOST_VALUES - 1)).is_ok(), "the list is a value too");
        let refusal = strictly(&list(MOST_VALUES)).expect_err("it is one more");
        assert!(refusal.contains("more than 250000 values"), "{refusal}");
        let (room, half) = (Room::default(), list(MOST_VALUES / 2));
        assert!(read_everything(half.as_bytes(), &room).is_ok());
        assert!(read_everything(half.as_bytes(), &room).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_plain_parser_reads_it_or_refused(text in r#"[\[\]{}",:a1 .eE-]{0,40}"#) {
            if let Ok(value) = strictly(&text) {
                prop_assert_eq!(Ok(value), serde_json::from_str(&text).map_err(|error| error.to_string()));
            }
        }
    }
}
