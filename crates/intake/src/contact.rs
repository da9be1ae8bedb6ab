//! How a patient is reached. Stays in this service: no event, log line or address holds any of it.

use lasegue_protocol::record::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest text of a contact, in characters.
const LONGEST: usize = 200;
/// The most identifiers of one patient.
const MOST_IDENTIFIERS: usize = 20;

/// How a patient is reached, and whether messages are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifiers: Vec<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// BCP 47, such as `en-GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_to_messages: Option<bool>,
}

/// A number under which another system knows the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identifier {
    system: String,
    value: String,
}

impl Contact {
    /// Parses the `contact` block of a body.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        let contact: Self =
            serde_json::from_value(value.clone()).map_err(|error| vec![fault("", error.to_string())])?;
        let faults = contact.faults();
        if faults.is_empty() { Ok(contact) } else { Err(faults) }
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let texts =
            [("name", &self.name), ("phone", &self.phone), ("email", &self.email), ("language", &self.language)];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > LONGEST) {
                faults.push(fault(name, format!("must have 1 to {LONGEST} characters")));
            }
        }
        if self.email.as_ref().is_some_and(|email| !is_address(email)) {
            faults.push(fault("email", "must be an e-mail address, as name@example.org"));
        }
        if self.phone.as_ref().is_some_and(|phone| !is_number(phone)) {
            faults.push(fault("phone", "must be a telephone number in international form, as +44 20 7946 0000"));
        }
        if self.identifiers.len() > MOST_IDENTIFIERS {
            faults.push(fault("identifiers", format!("must have at most {MOST_IDENTIFIERS} entries")));
        }
        faults
    }
}

fn fault(field: &str, reason: impl Into<String>) -> Fault {
    let pointer = if field.is_empty() { "/contact".to_owned() } else { format!("/contact/{field}") };
    Fault { pointer, reason: reason.into() }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(' '))
}

fn is_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.starts_with('+')
        && (7..=15).contains(&digits)
        && text[1..].chars().all(|c| c.is_ascii_digit() || " -()".contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contact_comes_back_as_it_was_given() {
        let given = json!({
            "name": "Testa Syntheta", "phone": "+44 20 7946 0000", "email": "testa@example.org", "language": "en-GB",
            "identifiers": [{ "system": "urn:example", "value": "1" }], "consent_to_messages": true
        });
        let contact = Contact::parse(&given).expect("it is valid");
        assert_eq!(serde_json::to_value(contact).expect("it is plain"), given);
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let faults =
            Contact::parse(&json!({ "name": " ", "phone": "12", "email": "nobody" })).expect_err("it is faulty");
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/contact/name", "/contact/email", "/contact/phone"]);
        assert!(Contact::parse(&json!({ "fax": "1" })).is_err());
    }
}
