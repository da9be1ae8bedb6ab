//! What is registered of an episode: the blocks that events tell, and around them what stays in this service.

use chrono::{DateTime, Utc};
use lasegue_protocol::record::{Fault, Record, Registration, check_record, parse_registration};
use serde::Serialize;
use serde_json::Value;

use crate::contact::Contact;
use crate::fields::Fields;
use crate::future;

/// Everything registered of an episode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Document {
    /// The patient and episode blocks.
    #[serde(flatten)]
    pub(crate) registration: Registration,
    #[serde(flatten)]
    pub(crate) surroundings: Surroundings,
}

/// What a body says of an episode beside its blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Surroundings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clinic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clinician: Option<String>,
}

/// The sender's ids of patient and episode, under which an episode is recognised. Personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refs {
    pub(crate) patient: String,
    pub(crate) episode: String,
}

impl Document {
    /// Parses a whole body.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(crate) fn parse(body: Value, now: DateTime<Utc>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let Some(mut fields) = Fields::of("", body, &mut faults) else { return Err(faults) };
        let surroundings = Surroundings::read(&mut fields);
        let blocks = ["patient", "episode"].map(|name| (name.to_owned(), fields.take(name, |_, block, _| Some(block))));
        fields.finish();
        let blocks = blocks.into_iter().filter_map(|(name, block)| Some((name, block?))).collect();
        let registration = parse_registration(&Value::Object(blocks)).map_err(|found| faults.extend(found)).ok();
        let Some(registration) = registration else { return Err(faults) };
        faults.extend(together(&registration));
        faults.extend(future::registration(&registration, now));
        if faults.is_empty() { Ok(Self { registration, surroundings }) } else { Err(faults) }
    }

    /// The sender's ids, when both are there.
    pub(crate) fn refs(&self) -> Option<Refs> {
        let Registration { patient, episode } = &self.registration;
        Some(Refs { patient: patient.id.clone()?, episode: episode.id.clone()? })
    }
}

impl Surroundings {
    /// Takes them out of a body. What is left is for the record's own parser.
    pub(crate) fn take(body: Value, faults: &mut Vec<Fault>) -> (Self, Value) {
        if !body.is_object() {
            return (Self::default(), body);
        }
        let Some(mut fields) = Fields::of("", body, faults) else { return Default::default() };
        let surroundings = Self::read(&mut fields);
        (surroundings, fields.rest())
    }

    fn read(fields: &mut Fields) -> Self {
        Self {
            contact: fields.take("contact", Contact::read),
            clinic: fields.name("clinic"),
            clinician: fields.name("clinician"),
        }
    }

    /// These, and where they say nothing, what `older` says.
    pub(crate) fn or(self, older: Self) -> Self {
        Self {
            contact: self.contact.or(older.contact),
            clinic: self.clinic.or(older.clinic),
            clinician: self.clinician.or(older.clinician),
        }
    }
}

/// What only the blocks together can show.
fn together(registration: &Registration) -> Vec<Fault> {
    let Registration { patient, episode } = registration.clone();
    check_record(&Record { patient, episode, submissions: Vec::new(), adjudications: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-21T23:30:00Z".parse().expect("an instant")
    }

    #[test]
    fn a_document_comes_back_from_its_own_json() {
        let body = json!({
            "patient": { "id": "p", "birth_date": "1980-06-15" },
            "episode": { "id": "e", "onset_date": "2026-01-01", "treatment_start": "2026-01-02" },
            "contact": { "name": "Testa Syntheta" }, "clinic": "spine", "clinician": "dr-a"
        });
        let document = Document::parse(body.clone(), now()).expect("it is valid");
        assert_eq!(crate::json::of(&document), body);
        assert_eq!(document.refs(), Some(Refs { patient: "p".to_owned(), episode: "e".to_owned() }));
    }

    #[test]
    fn faults_of_every_block_are_named_at_once() {
        let body = json!({
            "patient": { "birth_date": "2026-01-03", "name": "x" },
            "episode": { "treatment_start": "2026-13-01" },
            "contact": { "phone": "1" }, "clinic": 7, "colour": "blue"
        });
        let faults = Document::parse(body, now()).expect_err("it is faulty");
        let mut pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        let expected = [
            "/clinic",
            "/colour",
            "/contact/phone",
            "/episode/onset_date",
            "/episode/treatment_start",
            "/patient/name",
        ];
        assert_eq!(pointers, expected);
        assert!(Document::parse(json!([]), now()).is_err());
    }

    #[test]
    fn today_is_what_the_calendar_says_where_the_patient_lives() {
        let on = |zone: &str| {
            let episode = json!({ "onset_date": "2026-01-22", "treatment_start": "2026-01-22", "time_zone": zone });
            Document::parse(json!({ "patient": {}, "episode": episode }), now())
        };
        assert!(on("Asia/Tokyo").is_ok());
        let faults = on("Europe/London").expect_err("it is still the day before in London");
        assert_eq!(faults.len(), 2);
        assert_eq!(
            faults[0].to_string(),
            "/episode/onset_date: lies in the future: it is 2026-01-21 where the patient lives"
        );
    }
}
