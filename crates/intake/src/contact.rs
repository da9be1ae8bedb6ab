//! How a patient is reached. Stays in this service: no event, log line or address holds any of it.

use lasegue_protocol::record::Fault;
use lasegue_values::Name;
use serde::Serialize;
use serde_json::Value;

use crate::fields::Fields;
use crate::json::fault;

/// The most identifiers of one patient.
const MOST_IDENTIFIERS: usize = 20;

/// How a patient is reached, and whether messages are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifiers: Vec<Identifier>,
    /// International form, as `+44 20 7946 0000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// BCP 47, as `en-GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Missing means that nobody asked, which is no consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_to_messages: Option<bool>,
}

/// A number under which another system knows the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Identifier {
    system: String,
    value: String,
}

impl Contact {
    /// Reads the contact block at `at` and notes everything wrong with it.
    pub(crate) fn read(at: &str, value: Value, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut fields = Fields::of(at, value, faults)?;
        let contact = Self {
            name: fields.name("name"),
            identifiers: fields.take("identifiers", identifiers).unwrap_or_default(),
            phone: fields.text("phone", NUMBER, is_number),
            email: fields.text("email", ADDRESS, is_address),
            language: fields.text("language", LANGUAGE, is_language),
            consent_to_messages: fields.flag("consent_to_messages"),
        };
        fields.finish();
        Some(contact)
    }
}

fn identifiers(at: &str, value: Value, faults: &mut Vec<Fault>) -> Option<Vec<Identifier>> {
    let Value::Array(list) = value else {
        faults.push(fault(at, "must be a list"));
        return None;
    };
    if list.len() > MOST_IDENTIFIERS {
        faults.push(fault(at, format!("must have at most {MOST_IDENTIFIERS} entries")));
    }
    let numbered = list.into_iter().take(MOST_IDENTIFIERS).enumerate();
    Some(numbered.filter_map(|(index, value)| identifier(&format!("{at}/{index}"), value, faults)).collect())
}

fn identifier(at: &str, value: Value, faults: &mut Vec<Fault>) -> Option<Identifier> {
    let mut fields = Fields::of(at, value, faults)?;
    let system = fields.required_name("system");
    let value = fields.required_name("value");
    fields.finish();
    Some(Identifier { system: system?, value: value? })
}

const NUMBER: &str = "must be a telephone number in international form, as +44 20 7946 0000";
const ADDRESS: &str = "must be an e-mail address, as name@example.org";
const LANGUAGE: &str = "must be a language tag, as en-GB";

fn is_address(text: &str) -> bool {
    let plain = Name::parse(text).is_ok() && !text.contains(char::is_whitespace);
    let parts = text.rsplit_once('@').filter(|(name, _)| !name.is_empty() && !name.contains('@'));
    plain
        && parts.is_some_and(|(_, host)| host.split('.').count() > 1 && host.split('.').all(|label| !label.is_empty()))
}

fn is_number(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('+').filter(|rest| rest.len() <= Name::LONGEST) else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits) && rest.chars().all(|c| c.is_ascii_digit() || " -()".contains(c))
}

fn is_language(text: &str) -> bool {
    let mut subtags = text.split('-');
    let primary = subtags.next().is_some_and(|tag| (2..=8).contains(&tag.len()) && tag.bytes().all(is_letter));
    primary
        && text.len() <= 35
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> (Option<Contact>, Vec<String>) {
        let mut faults = Vec::new();
        let contact = Contact::read("/contact", value, &mut faults);
        (contact, faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_contact_comes_back_as_it_was_given() {
        let given = json!({
            "name": "Testa Syntheta", "phone": "+44 20 7946 0000", "email": "testa@example.org", "language": "en-GB",
            "identifiers": [{ "system": "urn:example", "value": "1" }], "consent_to_messages": true
        });
        let (contact, faults) = read(given.clone());
        assert!(faults.is_empty());
        assert_eq!(crate::json::of(&contact), given);
    }

    #[test]
    fn all_faults_are_named_at_once_with_their_places() {
        let (_, faults) = read(json!({
            "name": " ", "phone": "12", "email": "nobody", "language": "en_GB", "consent_to_messages": "yes",
            "identifiers": [{ "system": "urn:example" }, 7, { "system": "a", "value": "b", "use": "old" }], "fax": "1"
        }));
        let expected = [
            "/contact/name",
            "/contact/identifiers/0/value",
            "/contact/identifiers/1",
            "/contact/identifiers/2/use",
            "/contact/phone",
            "/contact/email",
            "/contact/language",
            "/contact/consent_to_messages",
            "/contact/fax",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn addresses_and_numbers_have_a_form() {
        for good in ["a@b.c", "first.last+tag@mail.example.org"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "@b.c", "a@", "a@b", "a@b..c", "a b@c.d", "a@b@c.d", "a@b.c\n"] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(is_number("+1 (555) 010-0100") && !is_number("020 7946 0000") && !is_number("+1 555 0100 ext 1"));
        assert!(
            is_language("de")
                && is_language("zh-Hant-TW")
                && !is_language("")
                && !is_language("e")
                && !is_language("en-")
        );
    }
}
