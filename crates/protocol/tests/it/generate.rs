//! Synthetic records from a seed: mostly calm visits with a few things wrong, missing, late,
//! corrected, voided or signed.

use serde_json::{Map, Value, json};

const MOVEMENTS: [&str; 4] = ["knee_extension", "ankle_dorsiflexion", "great_toe_extension", "ankle_plantarflexion"];
const DERMATOMES: [&str; 7] = ["L1", "L2", "L3", "L4", "L5", "S1", "S2"];
pub(crate) const ITEMS: [&str; 10] = [
    "saddle_sensation",
    "starting_urine",
    "urine_flow_sensation",
    "urinary_retention",
    "urinary_leakage",
    "rectal_fullness_sensation",
    "bowel_control",
    "bilateral_weakness",
    "sexual_dysfunction",
    "new_bilateral_leg_pain",
];
pub(crate) const SERIOUS: [&str; 10] = [
    "cancer_history",
    "fever",
    "iv_drug_use",
    "immunosuppressed",
    "recent_infection_or_procedure",
    "weight_loss",
    "night_pain",
    "anticoagulant",
    "steroid",
    "osteoporosis",
];
const SIGNED: [(&str, &str); 12] = [
    ("motor-deficit-severe", "side"),
    ("motor-deficit-progressive", "side"),
    ("motor-deficit-progressive", ""),
    ("motor-deficit-undated", "side"),
    ("sensation-changed", "side"),
    ("reflex-changed", "side"),
    ("cauda-equina-emergency", ""),
    ("cauda-equina-watch", ""),
    ("cauda-equina-not-excluded", ""),
    ("malignancy-suspected", ""),
    ("spinal-infection-suspected", ""),
    ("motor-exam-unknown", ""),
];

/// A small generator of pseudo-random numbers (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let end = u64::try_from(end.max(1)).expect("a small number");
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("it is below a usize")
    }

    pub(crate) fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn answer(&mut self, odds: usize) -> Value {
        if self.one_in(odds) {
            return json!(self.pick(&["yes", "unknown", "yes"]));
        }
        json!("no")
    }
}

/// A day of the year 2026 and its hour, as a time.
fn time(day: usize, hour: usize) -> String {
    let date = chrono::NaiveDate::from_yo_opt(2026, 1).expect("it exists")
        + chrono::Duration::days(i64::try_from(day).expect("a small number"));
    format!("{date}T{hour:02}:00:00Z")
}

fn date(day: usize) -> String {
    time(day, 9)[..10].to_owned()
}

/// A record with `visits` submissions.
pub(crate) fn record(seed: u64, visits: usize) -> Value {
    let mut dice = Dice::new(seed);
    let mut day = dice.below(10);
    let mut submissions = Vec::new();
    for number in 0..visits {
        submissions.push(submission(&mut dice, number, day));
        day += dice.pick(&[0, 1, 3, 7, 14, 20, 30]);
    }
    corrections(&mut dice, &mut submissions);
    let adjudications = adjudications(&mut dice, &submissions, day);
    json!({
        "format": "lasegue.record/1",
        "patient": patient(&mut dice),
        "episode": episode(&mut dice),
        "submissions": submissions,
        "adjudications": adjudications,
    })
}

fn patient(dice: &mut Dice) -> Value {
    let birth = dice.pick(&["1980-06-15", "1950-01-01", "2010-06-15", "1995-02-28"]);
    let mut patient = json!({"sex": dice.pick(&["male", "female", "other", "unknown"])});
    if !dice.one_in(8) {
        patient["birth_date"] = json!(birth);
    }
    patient
}

fn episode(dice: &mut Dice) -> Value {
    let mut episode = json!({
        "onset_date": dice.pick(&["2025-12-18", "2025-11-01", "2026-01-01"]),
        "treatment_start": "2026-01-01",
        "time_zone": dice.pick(&["Europe/London", "America/New_York", "Asia/Tokyo"]),
        "treatments": [], "imaging": [],
    });
    for name in [
        "workers_compensation",
        "prior_low_back_pain",
        "candidate_surgery",
        "candidate_epidural",
        "plexus_uncertain",
        "pregnant",
        "conservative_failed",
    ] {
        if !dice.one_in(9) {
            episode[name] = dice.answer(4);
        }
    }
    let treatments: Vec<_> = (0..dice.below(3)).map(|_| treatment(dice)).collect();
    let imaging: Vec<_> = (0..dice.below(3)).map(|_| image(dice)).collect();
    episode["treatments"] = json!(treatments);
    episode["imaging"] = json!(imaging);
    episode
}

fn treatment(dice: &mut Dice) -> Value {
    json!({
        "date": date(dice.below(40)),
        "kind": dice.pick(&["physiotherapy", "nsaid", "epidural_injection", "surgery"]),
        "change": dice.pick(&["start", "increase", "unchanged", "stop"]),
        "outcome": dice.pick(&["unknown", "helped", "failed", "contraindicated"]),
    })
}

fn image(dice: &mut Dice) -> Value {
    json!({
        "date": date(dice.below(40)),
        "modality": dice.pick(&["mri", "mri", "ct"]),
        "region": dice.pick(&["lumbar", "lumbar", "plexus"]),
        "lesion": dice.pick(&["contained", "contained", "sequestered", "none"]),
        "root": dice.pick(&["R-L5", "L-S1", "R-L3", "R-L4", "L-S2"]),
        "concordant": dice.pick(&["yes", "yes", "no", "unknown"]),
    })
}

fn submission(dice: &mut Dice, number: usize, day: usize) -> Value {
    let clinician = !dice.one_in(3);
    let mut visit = json!({
        "id": format!("v{number}"),
        "assessed_at": time(day, dice.pick(&[3, 9, 9, 23])),
        "author": if clinician { dice.pick(&["clinician", "ehr"]) } else { "patient" },
        "pain": pain(dice),
        "new_weakness": dice.answer(10),
        "cauda_equina": cauda_equina(dice),
        "odi": (0..10).map(|_| if dice.one_in(12) { Value::Null } else { json!(dice.below(4)) })
            .collect::<Vec<_>>(),
        "work": {"status": dice.pick(&["full", "off_pain", "unknown"])},
        "walking": {"worse_walking": dice.answer(4), "worse_standing": dice.answer(6),
            "relief_sitting": dice.answer(3), "relief_flexion": dice.answer(6)},
        "serious": SERIOUS.iter().map(|name| ((*name).to_owned(), dice.answer(14)))
            .collect::<Map<_, _>>(),
        "trauma": trauma(dice),
    });
    if dice.one_in(3) {
        visit["received_at"] = json!(time(day + dice.below(30), 23));
    }
    if dice.one_in(8) {
        visit["serious"]["temperature_c"] = dice.pick(&[json!(37.9), json!(38.0), json!(38)].each_ref()).clone();
    }
    if clinician || dice.one_in(8) {
        examination(dice, &mut visit);
    }
    thin_out(dice, &mut visit);
    visit
}

fn pain(dice: &mut Dice) -> Value {
    let leg = if dice.one_in(4) {
        json!({"scale": "nrs", "value": dice.below(11)})
    } else {
        json!({"scale": "vas", "value": dice.pick(&[0, 10, 17, 18, 40, 55, 60, 75, 90])})
    };
    let dermatomes: Vec<_> = (0..dice.below(4))
        .map(|_| format!("{}-{}", dice.pick(&["R", "R", "R", "L"]), dice.pick(&DERMATOMES)))
        .collect();
    json!({"leg": leg, "back": {"scale": "nrs", "value": dice.below(4)}, "dermatomes": dermatomes,
        "quality": [dice.pick(&["aching", "burning"])], "dn4_interview": dice.below(5)})
}

fn cauda_equina(dice: &mut Dice) -> Value {
    let mut screen = Map::new();
    for item in ITEMS {
        let answer = if dice.one_in(10) {
            json!({"patient": dice.answer(4), "clinician": dice.answer(4)})
        } else {
            dice.answer(40)
        };
        screen.insert(item.to_owned(), answer);
    }
    if dice.one_in(8) {
        screen.insert("post_void_residual_ml".to_owned(), json!(dice.pick(&[80, 199, 200, 400])));
    }
    Value::Object(screen)
}

fn trauma(dice: &mut Dice) -> Value {
    if !dice.one_in(6) {
        return json!({"occurred": "no"});
    }
    json!({"occurred": dice.pick(&["yes", "yes", "unknown"]), "date": "2026-01-01",
        "high_energy": dice.answer(3), "fracture_suspected": dice.answer(3)})
}

fn examination(dice: &mut Dice, visit: &mut Value) {
    for movement in MOVEMENTS {
        visit["motor"][movement] = json!({"left": strength(dice), "right": strength(dice)});
    }
    if dice.one_in(4) {
        visit["motor"]["hip_flexion"] = json!({"left": 5, "right": strength(dice)});
    }
    if dice.one_in(6) {
        visit["motor_longstanding"] = json!(["right.great_toe_extension", "left.knee_extension"]);
    }
    for reflex in ["knee", "ankle"] {
        let grade = |dice: &mut Dice| if dice.one_in(8) { dice.below(5) } else { 2 };
        visit["reflexes"][reflex] = json!({"left": grade(dice), "right": grade(dice)});
    }
    for side in ["left", "right"] {
        for dermatome in DERMATOMES {
            let grade = if dice.one_in(20) { dice.below(3) } else { 0 };
            visit["sensation"][side][dermatome] = json!(grade);
        }
        let raise = json!({"leg_pain": dice.answer(3), "angle_deg": dice.pick(&[29, 30, 70, 71])});
        visit["straight_leg_raise"][side] = raise;
    }
}

fn strength(dice: &mut Dice) -> usize {
    if dice.one_in(12) { 1 + dice.below(5) } else { 5 }
}

/// Takes some fields away, at any depth.
fn thin_out(dice: &mut Dice, visit: &mut Value) {
    for _ in 0..dice.below(4) {
        let paths = super::fields::of_submission(visit);
        if let Some(path) = paths.get(dice.below(paths.len() * 2)) {
            super::fields::delete(visit, path);
        }
    }
}

fn corrections(dice: &mut Dice, submissions: &mut Vec<Value>) {
    if !dice.one_in(3) || submissions.len() < 2 {
        return;
    }
    let old = dice.below(submissions.len());
    let mut new = submissions[dice.below(submissions.len())].clone();
    new["id"] = json!("w0");
    new["supersedes"] = submissions[old]["id"].clone();
    if dice.one_in(2) {
        new["assessed_at"] = submissions[old]["assessed_at"].clone();
    }
    submissions.push(new);
}

fn adjudications(dice: &mut Dice, submissions: &[Value], last: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for _ in 0..dice.below(6) {
        let (code, sided) = dice.pick(&SIGNED);
        let side = if sided.is_empty() { Value::Null } else { json!(dice.pick(&["left", "right"])) };
        all.push(json!({"kind": "disposition", "code": code, "side": side,
            "at": time(dice.below(last + 20), dice.pick(&[9, 12])), "by": "a", "note": "seen"}));
    }
    if dice.one_in(8) && submissions.len() > 1 {
        let id = submissions[dice.below(submissions.len())]["id"].clone();
        all.push(json!({"kind": "void", "submission": id, "at": time(last, 12), "by": "a",
            "note": "wrong patient"}));
    }
    if dice.one_in(6) {
        all.push(json!({"kind": "longstanding", "item": dice.pick(&ITEMS),
            "at": time(dice.below(last + 1), 0), "by": "a", "note": "since childhood"}));
    }
    all
}
