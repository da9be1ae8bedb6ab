//! One episode of radiculopathy: its dates, the patient's circumstances, treatments and images.

use chrono::{DateTime, FixedOffset, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

use super::SidedDermatome;
use super::reader::Node;
use super::values::{date, name, word};
use super::words::{Change, Lesion, Modality, Outcome, Region, TreatmentKind, Tri};

const MAX_ENTRIES: usize = 1_000;

/// An episode of care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// The sender's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// First day of symptoms.
    pub onset_date: NaiveDate,
    /// First day of conservative treatment.
    pub treatment_start: NaiveDate,
    /// Where the patient's calendar days are counted; UTC when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Tz>,
    /// A workers' compensation claim is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers_compensation: Option<Tri>,
    /// Low back pain before this episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior_low_back_pain: Option<Tri>,
    /// Surgery would be an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_surgery: Option<Tri>,
    /// An epidural injection would be an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_epidural: Option<Tri>,
    /// The clinician doubts between plexopathy and radiculopathy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plexus_uncertain: Option<Tri>,
    /// The patient is pregnant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pregnant: Option<Tri>,
    /// A clinician judged conservative care to have failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conservative_failed: Option<Tri>,
    /// Treatments, as entered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub treatments: Vec<Treatment>,
    /// Images, as entered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imaging: Vec<Imaging>,
}

/// One entry of the treatment list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Treatment {
    /// The day of the change.
    pub date: NaiveDate,
    /// What is given.
    pub kind: TreatmentKind,
    /// What happened to it that day.
    pub change: Change,
    /// What it achieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// One entry of the imaging list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imaging {
    /// The day of the image.
    pub date: NaiveDate,
    /// How it was made.
    pub modality: Modality,
    /// What it shows.
    pub region: Region,
    /// The lesion found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesion: Option<Lesion>,
    /// The root concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<SidedDermatome>,
    /// The finding explains the symptoms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concordant: Option<Tri>,
}

impl Episode {
    /// The calendar day of `time` where the patient lives.
    pub fn local_day(&self, time: DateTime<FixedOffset>) -> NaiveDate {
        let zone = self.time_zone.unwrap_or(Tz::UTC);
        time.with_timezone(&zone).date_naive()
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let onset_date = fields.required("onset_date", date);
        let treatment_start = fields.required("treatment_start", date);
        let id = fields.optional("id", name);
        let time_zone = fields.optional("time_zone", zone);
        let mut answer = |name| fields.optional(name, word);
        let workers_compensation = answer("workers_compensation");
        let prior_low_back_pain = answer("prior_low_back_pain");
        let candidate_surgery = answer("candidate_surgery");
        let candidate_epidural = answer("candidate_epidural");
        let plexus_uncertain = answer("plexus_uncertain");
        let pregnant = answer("pregnant");
        let conservative_failed = answer("conservative_failed");
        let treatments = fields.block("treatments", |n| n.each(MAX_ENTRIES, Treatment::read));
        let imaging = fields.block("imaging", |n| n.each(MAX_ENTRIES, Imaging::read));
        fields.finish();
        Some(Self {
            id,
            onset_date: onset_date?,
            treatment_start: treatment_start?,
            time_zone,
            workers_compensation,
            prior_low_back_pain,
            candidate_surgery,
            candidate_epidural,
            plexus_uncertain,
            pregnant,
            conservative_failed,
            treatments,
            imaging,
        })
    }
}

impl Treatment {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let date = fields.required("date", date);
        let kind = fields.required("kind", word);
        let change = fields.required("change", word);
        let outcome = fields.optional("outcome", word);
        fields.finish();
        Some(Self { date: date?, kind: kind?, change: change?, outcome })
    }
}

impl Imaging {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let date = fields.required("date", date);
        let modality = fields.required("modality", word);
        let region = fields.required("region", word);
        let lesion = fields.optional("lesion", word);
        let root = fields.optional("root", SidedDermatome::read);
        let concordant = fields.optional("concordant", word);
        fields.finish();
        Some(Self { date: date?, modality: modality?, region: region?, lesion, root, concordant })
    }
}

fn zone(node: &Node) -> Option<Tz> {
    match node.text()?.parse() {
        Ok(zone) => Some(zone),
        Err(_) => node.refuse("must be a time zone of the IANA list, as Europe/London"),
    }
}
