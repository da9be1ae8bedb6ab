//! The course of the episode: time, circumstances, treatment, images, and where things stand.

use chrono::Datelike;
use serde_json::json;

use crate::logic::{Ratio, Truth};
use crate::record::{Change, Imaging, Lesion, Modality, Outcome, Region, Sex, Treatment, TreatmentKind};

use super::catalogue::{Fact, Family, Origin, Unit, counted, judged, registered};
use super::{Trail, View};

pub(super) const VISIT: &[Fact<()>] = &[
    counted(
        "days_treated",
        (Family::Timing, Unit::Days),
        |view, ()| Some(view.days_since(view.episode.treatment_start)),
        Origin::Several(|view, (), trail| {
            trail.note("episode.treatment_start", json!(view.episode.treatment_start), None);
        }),
        "calendar days since treatment began",
    ),
    counted(
        "days_of_symptoms",
        (Family::Timing, Unit::Days),
        |view, ()| Some(view.days_since(view.episode.onset_date)),
        Origin::Several(|view, (), trail| {
            trail.note("episode.onset_date", json!(view.episode.onset_date), None);
        }),
        "calendar days since the onset",
    ),
    counted(
        "age",
        (Family::Age, Unit::Years),
        |view, ()| age(view),
        Origin::Several(|view, (), trail| {
            trail.note("patient.birth_date", json!(view.patient.birth_date), None);
        }),
        "age in years on the day of the visit",
    ),
    judged(
        "female",
        Family::Predictor,
        |view, ()| (view.patient.sex == Some(Sex::Female)).into(),
        Origin::Several(trace_sex),
        "registered as female",
    ),
    judged(
        "pregnant",
        Family::Elective,
        |view, ()| pregnant(view),
        Origin::Several(|view, (), trail| {
            trail.note("episode.pregnant", json!(view.episode.pregnant), None);
            trace_sex(view, (), trail);
        }),
        "pregnant; unknown counts as no when the sex is male",
    ),
    registered(
        "workers_compensation",
        Family::Predictor,
        "episode.workers_compensation",
        |view, ()| view.episode.workers_compensation,
        "a workers' compensation claim is open",
    ),
    registered(
        "prior_low_back_pain",
        Family::Predictor,
        "episode.prior_low_back_pain",
        |view, ()| view.episode.prior_low_back_pain,
        "low back pain before this episode",
    ),
    registered(
        "candidate_surgery",
        Family::Elective,
        "episode.candidate_surgery",
        |view, ()| view.episode.candidate_surgery,
        "surgery would be an option",
    ),
    registered(
        "candidate_epidural",
        Family::Elective,
        "episode.candidate_epidural",
        |view, ()| view.episode.candidate_epidural,
        "an epidural injection would be an option",
    ),
    registered(
        "plexus_uncertain",
        Family::Elective,
        "episode.plexus_uncertain",
        |view, ()| view.episode.plexus_uncertain,
        "the clinician doubts between plexopathy and radiculopathy",
    ),
    registered(
        "conservative_failed",
        Family::Elective,
        "episode.conservative_failed",
        |view, ()| view.episode.conservative_failed,
        "a clinician judged conservative care to have failed",
    ),
    judged(
        "conservative_care_recorded",
        Family::Elective,
        |view, ()| any_treatment(view, is_conservative),
        Origin::Several(|view, (), trail| trace_treatments(view, is_conservative, trail)),
        "some conservative treatment is recorded up to this visit",
    ),
    judged(
        "epidural_failed",
        Family::Elective,
        |view, ()| any_treatment(view, epidural_failed),
        Origin::Several(|view, (), trail| trace_treatments(view, epidural_failed, trail)),
        "an epidural injection failed or is contraindicated",
    ),
    judged(
        "treatment_intensified",
        Family::Treatment,
        |view, ()| any_treatment(view, intensified),
        Origin::Several(|view, (), trail| trace_treatments(view, intensified, trail)),
        "a treatment was started or increased after the day of the last leg pain",
    ),
    judged(
        "lumbar_mri_known",
        Family::Elective,
        |view, ()| lumbar_mri(view).is_some().into(),
        Origin::Several(trace_lumbar_mri),
        "a lumbar MRI since the onset is known",
    ),
    judged(
        "lumbar_mri_contained",
        Family::Elective,
        |view, ()| lesion(view, |lesion| lesion == Lesion::Contained),
        Origin::Several(trace_lumbar_mri),
        "the latest lumbar MRI shows a contained herniation",
    ),
    judged(
        "lumbar_mri_lesion",
        Family::Elective,
        |view, ()| lesion(view, |lesion| lesion != Lesion::None),
        Origin::Several(trace_lumbar_mri),
        "the latest lumbar MRI shows a lesion",
    ),
    judged(
        "lumbar_mri_concordant",
        Family::Elective,
        |view, ()| Truth::from(lumbar_mri(view).and_then(|(_, image)| image.concordant)),
        Origin::Several(trace_lumbar_mri),
        "the latest lumbar MRI explains the symptoms",
    ),
    counted(
        "lumbar_mri_root",
        (Family::Elective, Unit::Root),
        |view, ()| {
            let root = lumbar_mri(view)?.1.root?.dermatome;
            Some(Ratio::whole(root as i64))
        },
        Origin::Several(trace_lumbar_mri),
        "the root that the latest lumbar MRI names",
    ),
    judged(
        "plexus_mri_known",
        Family::Elective,
        |view, ()| view.images(is_plexus_mri).next().is_some().into(),
        Origin::Several(|view, (), trail| {
            for (index, image) in view.images(is_plexus_mri) {
                trail.note(format!("episode.imaging.{index}"), json!(image), None);
            }
        }),
        "an MRI of the plexus since the onset is known",
    ),
    judged(
        "active_emergency",
        Family::Outcome,
        |view, ()| view.outcome.active_emergency.into(),
        Origin::Several(|_, (), _| ()),
        "an emergency waits for a disposition",
    ),
    judged(
        "active_urgent",
        Family::Outcome,
        |view, ()| view.outcome.active_urgent.into(),
        Origin::Several(|_, (), _| ()),
        "an urgent finding waits for a disposition",
    ),
    judged(
        "above_info",
        Family::Outcome,
        |view, ()| view.outcome.above_info.map_or(Truth::Unknown, Truth::from),
        Origin::Several(|_, (), _| ()),
        "some finding is more than information",
    ),
];

fn age(view: &View) -> Option<Ratio> {
    let (birth, day) = (view.patient.birth_date?, view.day);
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    let years = day.year() - birth.year() - i32::from(before_birthday);
    Some(Ratio::whole(years.into()))
}

fn pregnant(view: &View) -> Truth {
    match Truth::from(view.episode.pregnant) {
        Truth::Unknown if view.patient.sex == Some(Sex::Male) => Truth::No,
        answer => answer,
    }
}

fn trace_sex(view: &View, (): (), trail: &mut Trail) {
    trail.note("patient.sex", json!(view.patient.sex), None);
}

fn any_treatment(view: &View, wanted: fn(&View, &Treatment) -> bool) -> Truth {
    let mut known = view.episode.treatments.iter();
    known.any(|entry| entry.date <= view.day && wanted(view, entry)).into()
}

fn trace_treatments(view: &View, wanted: fn(&View, &Treatment) -> bool, trail: &mut Trail) {
    for (index, entry) in view.episode.treatments.iter().enumerate() {
        if entry.date <= view.day && wanted(view, entry) {
            trail.note(format!("episode.treatments.{index}"), json!(entry), None);
        }
    }
}

fn is_conservative(_: &View, entry: &Treatment) -> bool {
    match entry.kind {
        TreatmentKind::Physiotherapy
        | TreatmentKind::Exercise
        | TreatmentKind::Education
        | TreatmentKind::Nsaid
        | TreatmentKind::NeuropathicAgent
        | TreatmentKind::Opioid
        | TreatmentKind::OralSteroid
        | TreatmentKind::OtherConservative => true,
        TreatmentKind::EpiduralInjection
        | TreatmentKind::Radiofrequency
        | TreatmentKind::Surgery
        | TreatmentKind::Other => false,
    }
}

fn epidural_failed(_: &View, entry: &Treatment) -> bool {
    let ruled_out = [Some(Outcome::Failed), Some(Outcome::Contraindicated)];
    entry.kind == TreatmentKind::EpiduralInjection && ruled_out.contains(&entry.outcome)
}

fn intensified(view: &View, entry: &Treatment) -> bool {
    let after = |day| entry.date > day;
    let more = matches!(entry.change, Change::Start | Change::Increase);
    more && view.earlier.leg_pain_day.is_some_and(after)
}

/// The lumbar MRI that counts: the latest one, of one day the last listed.
fn lumbar_mri<'r>(view: &View<'r>) -> Option<(usize, &'r Imaging)> {
    let lumbar = |image: &Imaging| image.modality == Modality::Mri && image.region == Region::Lumbar;
    view.images(lumbar).max_by_key(|(_, image)| image.date)
}

fn lesion(view: &View, wanted: fn(Lesion) -> bool) -> Truth {
    let lesion = lumbar_mri(view).and_then(|(_, image)| image.lesion);
    lesion.map_or(Truth::Unknown, |lesion| wanted(lesion).into())
}

fn trace_lumbar_mri(view: &View, (): (), trail: &mut Trail) {
    if let Some((index, image)) = lumbar_mri(view) {
        trail.note(format!("episode.imaging.{index}"), json!(image), None);
    }
}

fn is_plexus_mri(image: &Imaging) -> bool {
    image.modality == Modality::Mri && image.region == Region::Plexus
}
