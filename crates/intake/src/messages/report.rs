//! What a submission reports. A block in which nothing was answered is left out.

use std::collections::BTreeMap;

use lasegue_contracts::intake as proto;
use lasegue_protocol::record::{
    Answer, CaudaEquina, Dermatome, Pain, PainScore, PerSide, Report, Sensation, Serious, StraightLegRaise,
    StraightLegRaiseSide, Temperature, Trauma, Walking, Work,
};

use super::answer;

/// A message with the report's fields; who, when and under which id is the caller's to add.
pub(super) fn report(report: &Report) -> proto::Submission {
    proto::Submission {
        pain: filled(pain(&report.pain)),
        motor: grades(report.motor.0.iter().map(|(movement, grades)| (movement.to_string(), grades))),
        motor_longstanding: report.motor_longstanding.iter().map(ToString::to_string).collect(),
        new_weakness: answer(report.new_weakness),
        reflexes: grades(report.reflexes.0.iter().map(|(reflex, grades)| (reflex.to_string(), grades))),
        sensation: filled(sensation(&report.sensation)),
        straight_leg_raise: filled(straight_leg_raise(&report.straight_leg_raise)),
        cauda_equina: filled(cauda_equina(&report.cauda_equina)),
        odi: report.odi.as_ref().map(|odi| proto::Odi {
            items: odi.0.iter().map(|score| proto::OdiItem { score: score.map(u32::from) }).collect(),
        }),
        work: filled(work(&report.work)),
        walking: filled(walking(&report.walking)),
        serious: filled(serious(&report.serious)),
        trauma: filled(trauma(&report.trauma)),
        ..proto::Submission::default()
    }
}

/// The message, unless it says nothing.
fn filled<M: prost::Message + Default + PartialEq>(message: M) -> Option<M> {
    (message != M::default()).then_some(message)
}

fn grades<'a>(sites: impl Iterator<Item = (String, &'a PerSide<u8>)>) -> BTreeMap<String, proto::Grades> {
    let both =
        |grades: &PerSide<u8>| proto::Grades { left: grades.left.map(u32::from), right: grades.right.map(u32::from) };
    sites.map(|(site, grades)| (site, both(grades))).collect()
}

fn pain(pain: &Pain) -> proto::Pain {
    proto::Pain {
        leg: pain.leg.map(score),
        back: pain.back.map(score),
        dermatomes: pain.dermatomes.as_ref().map(|set| words(set.iter())),
        quality: pain.quality.as_ref().map(|set| words(set.iter())),
        temporal: pain.temporal.map(|temporal| temporal.to_string()),
        below_knee: filled(proto::AnswerBySide {
            left: answer(pain.below_knee.left),
            right: answer(pain.below_knee.right),
        }),
        dn4_interview: pain.dn4_interview.map(u32::from),
    }
}

fn score(score: PainScore) -> proto::Score {
    proto::Score { scale: score.scale.to_string(), value: score.value.into() }
}

fn words(words: impl Iterator<Item = impl ToString>) -> proto::Words {
    proto::Words { words: words.map(|word| word.to_string()).collect() }
}

fn sensation(sensation: &Sensation) -> proto::Sensation {
    let side = |grades: &BTreeMap<Dermatome, u8>| {
        grades.iter().map(|(dermatome, grade)| (dermatome.to_string(), u32::from(*grade))).collect()
    };
    proto::Sensation { left: side(&sensation.left), right: side(&sensation.right) }
}

fn straight_leg_raise(raise: &StraightLegRaise) -> proto::StraightLegRaise {
    let side = |side: &StraightLegRaiseSide| {
        filled(proto::LegRaise {
            leg_pain: answer(side.leg_pain),
            angle_deg: side.angle_deg.map(u32::from),
            crossed: answer(side.crossed),
        })
    };
    proto::StraightLegRaise { left: side(&raise.left), right: side(&raise.right) }
}

fn cauda_equina(screen: &CaudaEquina) -> proto::CaudaEquina {
    proto::CaudaEquina {
        items: screen.items.iter().map(|(item, given)| (item.to_string(), reported(*given))).collect(),
        post_void_residual_ml: screen.post_void_residual_ml.map(u32::from),
    }
}

fn reported(given: Answer) -> proto::Reported {
    match given {
        Answer::One(one) => proto::Reported { single: answer(Some(one)), ..proto::Reported::default() },
        Answer::Two { patient, clinician } => proto::Reported {
            single: proto::Answer::Unspecified.into(),
            patient: answer(patient),
            clinician: answer(clinician),
        },
    }
}

fn work(work: &Work) -> proto::Work {
    proto::Work {
        status: work.status.map(|status| status.to_string()),
        activity: work.activity.map(|activity| activity.to_string()),
    }
}

fn walking(walking: &Walking) -> proto::Walking {
    proto::Walking {
        minutes: walking.minutes.map(u32::from),
        worse_walking: answer(walking.worse_walking),
        worse_standing: answer(walking.worse_standing),
        relief_sitting: answer(walking.relief_sitting),
        relief_flexion: answer(walking.relief_flexion),
        relief_standing_still: answer(walking.relief_standing_still),
    }
}

fn serious(serious: &Serious) -> proto::Serious {
    proto::Serious {
        cancer_history: answer(serious.cancer_history),
        fever: answer(serious.fever),
        iv_drug_use: answer(serious.iv_drug_use),
        immunosuppressed: answer(serious.immunosuppressed),
        recent_infection_or_procedure: answer(serious.recent_infection_or_procedure),
        weight_loss: answer(serious.weight_loss),
        night_pain: answer(serious.night_pain),
        anticoagulant: answer(serious.anticoagulant),
        steroid: answer(serious.steroid),
        osteoporosis: answer(serious.osteoporosis),
        temperature_c: serious.temperature_c.map(decimal),
    }
}

/// Degrees Celsius as decimal text, exact, with as many digits as it takes: `38.0`, `37.95`.
fn decimal(temperature: Temperature) -> String {
    let micro = temperature.micro_celsius();
    let part = format!("{:06}", micro % 1_000_000);
    let part = part.trim_end_matches('0');
    format!("{}.{}", micro / 1_000_000, if part.is_empty() { "0" } else { part })
}

fn trauma(trauma: &Trauma) -> proto::Trauma {
    proto::Trauma {
        occurred: answer(trauma.occurred),
        date: trauma.date.map(|date| date.to_string()),
        high_energy: answer(trauma.high_energy),
        fracture_suspected: answer(trauma.fracture_suspected),
    }
}
