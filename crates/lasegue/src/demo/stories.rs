//! What happens to the demo's patients: each story is told to the reader and sent to intake as a submission.

use serde_json::{Value, json};

/// One thing that happens between visits.
pub(super) struct Story {
    /// What the reader is told.
    pub(super) told: &'static str,
    /// Who reports it: `patient` or `clinician`.
    pub(super) author: &'static str,
    /// What makes the report differ from the patient's last visit.
    change: fn(&mut Value),
}

/// The stories, told in this order and then over again.
pub(super) const STORIES: &[Story] = &[
    Story {
        told: "reports from home: numb between the legs since this morning",
        author: "patient",
        change: |visit| visit["cauda_equina"]["saddle_sensation"] = json!("yes"),
    },
    Story {
        told: "is examined: the right foot has lost two grades of strength",
        author: "clinician",
        change: |visit| visit["motor"]["ankle_dorsiflexion"]["right"] = json!(3),
    },
    Story {
        told: "sends a form with an impossible pain score: refused, but it also says the bowel is out of control",
        author: "patient",
        change: |visit| {
            visit["pain"]["leg"]["value"] = json!(400);
            visit["cauda_equina"]["bowel_control"] = json!("yes");
        },
    },
    Story {
        told: "has 38.6 °C and injects drugs",
        author: "clinician",
        change: |visit| {
            visit["serious"]["temperature_c"] = json!(38.6);
            visit["serious"]["iv_drug_use"] = json!("yes");
        },
    },
    Story {
        told: "cannot say whether the bladder still empties: unknown is not no",
        author: "patient",
        change: |visit| visit["cauda_equina"]["urinary_retention"] = json!("unknown"),
    },
    Story {
        told: "is examined: both feet are weaker than before",
        author: "clinician",
        change: |visit| {
            visit["motor"]["great_toe_extension"] = json!({ "left": 4, "right": 4 });
        },
    },
];

impl Story {
    /// The story as a submission of a patient whose last visit was `last`.
    pub(super) fn submission(&self, last: &Value, id: &str, at: &str) -> Value {
        let mut visit = last.clone();
        visit["id"] = json!(id);
        visit["assessed_at"] = json!(at);
        visit["author"] = json!(self.author);
        if let Some(fields) = visit.as_object_mut() {
            fields.remove("received_at");
            if self.author == "patient" {
                fields.retain(|name, _| !EXAMINATION.contains(&name.as_str()));
            }
        }
        (self.change)(&mut visit);
        visit
    }
}

/// What a patient at home cannot examine.
const EXAMINATION: [&str; 4] = ["motor", "reflexes", "sensation", "straight_leg_raise"];

#[cfg(test)]
mod tests {
    use lasegue_protocol::record::{danger_signs, parse_submission};

    use super::*;
    use crate::sample;

    #[test]
    fn every_story_but_the_refused_one_is_a_valid_submission() {
        let until = "2026-06-01T12:00:00Z".parse().expect("an instant");
        let record = sample::records(5, 1, until).next().expect("one record");
        let last = record["submissions"].as_array().and_then(|visits| visits.last()).expect("a visit");
        let refused = STORIES
            .iter()
            .map(|story| parse_submission(&story.submission(last, "story", "2026-06-01T12:00:00Z")))
            .filter(|parsed| !parsed.faults.is_empty())
            .collect::<Vec<_>>();
        assert_eq!(refused.len(), 1);
        assert!(!danger_signs(&refused[0].value).is_empty(), "the refused one holds a danger sign");
    }
}
