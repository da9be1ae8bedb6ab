//! The patient and episode blocks.

use lasegue_contracts::intake as proto;
use lasegue_protocol::record::{Episode, Imaging, Patient, Sex, Treatment};

use super::answer;

pub(super) fn patient(patient: &Patient) -> proto::Patient {
    let sex = match patient.sex {
        None => proto::Sex::Unspecified,
        Some(Sex::Male) => proto::Sex::Male,
        Some(Sex::Female) => proto::Sex::Female,
        Some(Sex::Other) => proto::Sex::Other,
        Some(Sex::Unknown) => proto::Sex::Unknown,
    };
    proto::Patient { birth_date: patient.birth_date.map(|date| date.to_string()), sex: sex.into() }
}

pub(super) fn episode(episode: &Episode) -> proto::Episode {
    proto::Episode {
        onset_date: episode.onset_date.to_string(),
        treatment_start: episode.treatment_start.to_string(),
        time_zone: episode.time_zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        workers_compensation: answer(episode.workers_compensation),
        prior_low_back_pain: answer(episode.prior_low_back_pain),
        candidate_surgery: answer(episode.candidate_surgery),
        candidate_epidural: answer(episode.candidate_epidural),
        plexus_uncertain: answer(episode.plexus_uncertain),
        pregnant: answer(episode.pregnant),
        conservative_failed: answer(episode.conservative_failed),
        treatments: episode.treatments.iter().map(treatment).collect(),
        imaging: episode.imaging.iter().map(imaging).collect(),
    }
}

fn treatment(treatment: &Treatment) -> proto::Treatment {
    proto::Treatment {
        date: treatment.date.to_string(),
        kind: treatment.kind.to_string(),
        change: treatment.change.to_string(),
        outcome: treatment.outcome.map(|outcome| outcome.to_string()),
    }
}

fn imaging(imaging: &Imaging) -> proto::Imaging {
    proto::Imaging {
        date: imaging.date.to_string(),
        modality: imaging.modality.to_string(),
        region: imaging.region.to_string(),
        lesion: imaging.lesion.map(|lesion| lesion.to_string()),
        root: imaging.root.map(|root| root.to_string()),
        concordant: answer(imaging.concordant),
    }
}
