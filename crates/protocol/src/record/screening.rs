//! The screens for danger: cauda equina, serious pathology, trauma.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::reader::Node;
use super::values::{Temperature, date, whole, word};
use super::words::{CaudaEquinaItem, Tri};
use crate::word::Word;

/// The cauda equina screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaudaEquina {
    /// Answers by item; "yes" says that the problem is there.
    #[serde(flatten)]
    pub items: BTreeMap<CaudaEquinaItem, Answer>,
    /// Urine left after voiding, in mL, 0 to 2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_void_residual_ml: Option<u16>,
}

/// One item's answer, or the two answers of patient and clinician.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Answered by the submission's author.
    One(Tri),
    /// Answered apart; a missing half is no answer.
    Two {
        /// The patient's own answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        patient: Option<Tri>,
        /// The clinician's finding.
        #[serde(skip_serializing_if = "Option::is_none")]
        clinician: Option<Tri>,
    },
}

/// Signs of serious pathology.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Serious {
    /// A cancer, now or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancer_history: Option<Tri>,
    /// Fever, as stated; a measured temperature counts more when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fever: Option<Tri>,
    /// Injected drugs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iv_drug_use: Option<Tri>,
    /// A weakened immune system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immunosuppressed: Option<Tri>,
    /// A recent infection or invasive procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent_infection_or_procedure: Option<Tri>,
    /// Unexplained loss of weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_loss: Option<Tri>,
    /// Pain that wakes at night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub night_pain: Option<Tri>,
    /// Anticoagulation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anticoagulant: Option<Tri>,
    /// Long use of steroids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steroid: Option<Tri>,
    /// Osteoporosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub osteoporosis: Option<Tri>,
    /// Measured temperature, 30.0 to 45.0 degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<Temperature>,
}

/// A recent injury; the other fields count only when it occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trauma {
    /// There was an injury.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred: Option<Tri>,
    /// The day of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    /// It was a fall from a height, a road accident or the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_energy: Option<Tri>,
    /// A fracture is suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fracture_suspected: Option<Tri>,
}

impl CaudaEquina {
    /// Reads the screen; each valid half of a faulty item is kept.
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let mut items = BTreeMap::new();
        for item in CaudaEquinaItem::ALL {
            if let Some(answer) = fields.optional(item.as_str(), Answer::read) {
                items.insert(*item, answer);
            }
        }
        let residual = fields.optional("post_void_residual_ml", whole(0, 2_000));
        fields.finish();
        Some(Self { items, post_void_residual_ml: residual.and_then(|ml| u16::try_from(ml).ok()) })
    }
}

impl Answer {
    fn read(node: &Node) -> Option<Self> {
        if !node.value().is_object() {
            return Some(Self::One(word(node)?));
        }
        let mut fields = node.fields()?;
        let answer =
            Self::Two { patient: fields.optional("patient", word), clinician: fields.optional("clinician", word) };
        fields.finish();
        Some(answer)
    }

    /// The answer that counts: yes before unknown before no; `None` when nobody answered.
    pub fn worst(self) -> Option<Tri> {
        match self {
            Self::One(answer) => Some(answer),
            Self::Two { patient, clinician } => [Tri::Yes, Tri::Unknown, Tri::No]
                .into_iter()
                .find(|answer| [patient, clinician].contains(&Some(*answer))),
        }
    }

    /// Whether the patient says yes where the clinician says no.
    pub fn conflicts(self) -> bool {
        let patient_alone = Self::Two { patient: Some(Tri::Yes), clinician: Some(Tri::No) };
        self == patient_alone
    }
}

impl Serious {
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let mut answer = |name| fields.optional(name, word);
        let serious = Self {
            cancer_history: answer("cancer_history"),
            fever: answer("fever"),
            iv_drug_use: answer("iv_drug_use"),
            immunosuppressed: answer("immunosuppressed"),
            recent_infection_or_procedure: answer("recent_infection_or_procedure"),
            weight_loss: answer("weight_loss"),
            night_pain: answer("night_pain"),
            anticoagulant: answer("anticoagulant"),
            steroid: answer("steroid"),
            osteoporosis: answer("osteoporosis"),
            temperature_c: fields.optional("temperature_c", Temperature::read),
        };
        fields.finish();
        Some(serious)
    }
}

impl Trauma {
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let trauma = Self {
            occurred: fields.optional("occurred", word),
            date: fields.optional("date", date),
            high_energy: fields.optional("high_energy", word),
            fracture_suspected: fields.optional("fracture_suspected", word),
        };
        fields.finish();
        Some(trauma)
    }
}
