//! The patient and episode blocks.

use lasegue_contracts::intake as proto;
use lasegue_platform::wire::WireError;
use serde_json::Value;

use super::incoming::{answer, object};

pub(super) fn patient(patient: proto::Patient) -> Result<Value, WireError> {
    let sex = match proto::Sex::try_from(patient.sex).map_err(|_| WireError("patient.sex"))? {
        proto::Sex::Unspecified => None,
        proto::Sex::Male => Some("male"),
        proto::Sex::Female => Some("female"),
        proto::Sex::Other => Some("other"),
        proto::Sex::Unknown => Some("unknown"),
    };
    let fields = object([("birth_date", patient.birth_date.map(Value::from)), ("sex", sex.map(Value::from))]);
    Ok(Value::Object(fields))
}

pub(super) fn episode(episode: proto::Episode) -> Result<Value, WireError> {
    let zone = (!episode.time_zone.is_empty()).then_some(Value::from(episode.time_zone));
    let treatments = episode.treatments.into_iter().map(treatment).collect();
    let imaging = episode.imaging.into_iter().map(imaging).collect::<Result<_, _>>()?;
    let fields = object([
        ("onset_date", Some(Value::from(episode.onset_date))),
        ("treatment_start", Some(Value::from(episode.treatment_start))),
        ("time_zone", zone),
        ("workers_compensation", answer("episode.workers_compensation", episode.workers_compensation)?),
        ("prior_low_back_pain", answer("episode.prior_low_back_pain", episode.prior_low_back_pain)?),
        ("candidate_surgery", answer("episode.candidate_surgery", episode.candidate_surgery)?),
        ("candidate_epidural", answer("episode.candidate_epidural", episode.candidate_epidural)?),
        ("plexus_uncertain", answer("episode.plexus_uncertain", episode.plexus_uncertain)?),
        ("pregnant", answer("episode.pregnant", episode.pregnant)?),
        ("conservative_failed", answer("episode.conservative_failed", episode.conservative_failed)?),
        ("treatments", Some(Value::Array(treatments))),
        ("imaging", Some(Value::Array(imaging))),
    ]);
    Ok(Value::Object(fields))
}

fn treatment(treatment: proto::Treatment) -> Value {
    Value::Object(object([
        ("date", Some(Value::from(treatment.date))),
        ("kind", Some(Value::from(treatment.kind))),
        ("change", Some(Value::from(treatment.change))),
        ("outcome", treatment.outcome.map(Value::from)),
    ]))
}

fn imaging(imaging: proto::Imaging) -> Result<Value, WireError> {
    let fields = object([
        ("date", Some(Value::from(imaging.date))),
        ("modality", Some(Value::from(imaging.modality))),
        ("region", Some(Value::from(imaging.region))),
        ("lesion", imaging.lesion.map(Value::from)),
        ("root", imaging.root.map(Value::from)),
        ("concordant", answer("episode.imaging.concordant", imaging.concordant)?),
    ]);
    Ok(Value::Object(fields))
}
