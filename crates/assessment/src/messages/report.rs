//! A submission and what it reports.

use std::collections::BTreeMap;

use lasegue_contracts::intake as proto;
use lasegue_platform::wire::WireError;
use serde_json::{Map, Value, json};

use super::incoming::{answer, filled, object, rfc3339};

type Object = Map<String, Value>;

pub(super) fn submission(message: proto::Submission) -> Result<Object, WireError> {
    let author = match proto::Author::try_from(message.author).map_err(|_| WireError("submission.author"))? {
        proto::Author::Unspecified => return Err(WireError("submission.author")),
        proto::Author::Patient => "patient",
        proto::Author::Clinician => "clinician",
        proto::Author::Ehr => "ehr",
    };
    let received_at = match &message.received_at {
        Some(at) => Some(rfc3339("submission.received_at", Some(at))?),
        None => None,
    };
    let longstanding = (!message.motor_longstanding.is_empty()).then(|| json!(message.motor_longstanding));
    Ok(object([
        ("id", Some(Value::from(message.id))),
        ("assessed_at", Some(rfc3339("submission.assessed_at", message.assessed_at.as_ref())?)),
        ("received_at", received_at),
        ("author", Some(Value::from(author))),
        ("supersedes", message.supersedes.map(Value::from)),
        ("pain", block(message.pain, pain)?),
        ("motor", filled(grades(message.motor))),
        ("motor_longstanding", longstanding),
        ("new_weakness", answer("submission.new_weakness", message.new_weakness)?),
        ("reflexes", filled(grades(message.reflexes))),
        ("sensation", message.sensation.as_ref().map(sensation)),
        ("straight_leg_raise", block(message.straight_leg_raise, straight_leg_raise)?),
        ("cauda_equina", block(message.cauda_equina, cauda_equina)?),
        ("odi", message.odi.map(|odi| odi.items.into_iter().map(|item| json!(item.score)).collect())),
        ("work", block(message.work, |work| Ok(words_of(work)))?),
        ("walking", block(message.walking, walking)?),
        ("serious", block(message.serious.as_ref(), serious)?),
        ("trauma", block(message.trauma, trauma)?),
    ]))
}

/// A block's object, when the block is there.
fn block<M>(message: Option<M>, read: impl Fn(M) -> Result<Object, WireError>) -> Result<Option<Value>, WireError> {
    message.map(|message| read(message).map(Value::Object)).transpose()
}

fn grades(sites: BTreeMap<String, proto::Grades>) -> Object {
    let both = |grades: proto::Grades| {
        Value::Object(object([("left", grades.left.map(Value::from)), ("right", grades.right.map(Value::from))]))
    };
    sites.into_iter().map(|(site, grades)| (site, both(grades))).collect()
}

fn pain(pain: proto::Pain) -> Result<Object, WireError> {
    let score = |score: proto::Score| json!({ "scale": score.scale, "value": score.value });
    let below_knee = block(pain.below_knee, |sides| {
        Ok(object([
            ("left", answer("pain.below_knee", sides.left)?),
            ("right", answer("pain.below_knee", sides.right)?),
        ]))
    })?;
    Ok(object([
        ("leg", pain.leg.map(score)),
        ("back", pain.back.map(score)),
        ("dermatomes", pain.dermatomes.map(|list| json!(list.words))),
        ("quality", pain.quality.map(|list| json!(list.words))),
        ("temporal", pain.temporal.map(Value::from)),
        ("below_knee", below_knee),
        ("dn4_interview", pain.dn4_interview.map(Value::from)),
    ]))
}

fn sensation(sensation: &proto::Sensation) -> Value {
    json!({ "left": sensation.left, "right": sensation.right })
}

fn straight_leg_raise(raise: proto::StraightLegRaise) -> Result<Object, WireError> {
    let side = |side: Option<proto::LegRaise>| {
        block(side, |side| {
            Ok(object([
                ("leg_pain", answer("straight_leg_raise.leg_pain", side.leg_pain)?),
                ("angle_deg", side.angle_deg.map(Value::from)),
                ("crossed", answer("straight_leg_raise.crossed", side.crossed)?),
            ]))
        })
    };
    Ok(object([("left", side(raise.left)?), ("right", side(raise.right)?)]))
}

fn cauda_equina(screen: proto::CaudaEquina) -> Result<Object, WireError> {
    let mut fields = object([("post_void_residual_ml", screen.post_void_residual_ml.map(Value::from))]);
    for (item, reported) in screen.items {
        let halves = object([
            ("patient", answer("cauda_equina", reported.patient)?),
            ("clinician", answer("cauda_equina", reported.clinician)?),
        ]);
        let given = answer("cauda_equina", reported.single)?.unwrap_or(Value::Object(halves));
        fields.insert(item, given);
    }
    Ok(fields)
}

fn words_of(work: proto::Work) -> Object {
    object([("status", work.status.map(Value::from)), ("activity", work.activity.map(Value::from))])
}

fn walking(walking: proto::Walking) -> Result<Object, WireError> {
    Ok(object([
        ("minutes", walking.minutes.map(Value::from)),
        ("worse_walking", answer("walking.worse_walking", walking.worse_walking)?),
        ("worse_standing", answer("walking.worse_standing", walking.worse_standing)?),
        ("relief_sitting", answer("walking.relief_sitting", walking.relief_sitting)?),
        ("relief_flexion", answer("walking.relief_flexion", walking.relief_flexion)?),
        ("relief_standing_still", answer("walking.relief_standing_still", walking.relief_standing_still)?),
    ]))
}

fn serious(serious: &proto::Serious) -> Result<Object, WireError> {
    let celsius = serious.temperature_c.as_deref().map(serde_json::from_str::<Value>).transpose();
    Ok(object([
        ("cancer_history", answer("serious.cancer_history", serious.cancer_history)?),
        ("fever", answer("serious.fever", serious.fever)?),
        ("iv_drug_use", answer("serious.iv_drug_use", serious.iv_drug_use)?),
        ("immunosuppressed", answer("serious.immunosuppressed", serious.immunosuppressed)?),
        (
            "recent_infection_or_procedure",
            answer("serious.recent_infection_or_procedure", serious.recent_infection_or_procedure)?,
        ),
        ("weight_loss", answer("serious.weight_loss", serious.weight_loss)?),
        ("night_pain", answer("serious.night_pain", serious.night_pain)?),
        ("anticoagulant", answer("serious.anticoagulant", serious.anticoagulant)?),
        ("steroid", answer("serious.steroid", serious.steroid)?),
        ("osteoporosis", answer("serious.osteoporosis", serious.osteoporosis)?),
        ("temperature_c", celsius.map_err(|_| WireError("serious.temperature_c"))?),
    ]))
}

fn trauma(trauma: proto::Trauma) -> Result<Object, WireError> {
    Ok(object([
        ("occurred", answer("trauma.occurred", trauma.occurred)?),
        ("date", trauma.date.map(Value::from)),
        ("high_energy", answer("trauma.high_energy", trauma.high_energy)?),
        ("fracture_suspected", answer("trauma.fracture_suspected", trauma.fracture_suspected)?),
    ]))
}
