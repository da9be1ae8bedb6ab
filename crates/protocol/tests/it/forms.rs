//! What form tools, interface engines and exporters write in the place of a submission, each beside a calm visit with one
//! value that is refused: a danger in it is never silent, and what is calm wakes nobody.

use lasegue_protocol::feared::{Fear, feared};
use serde_json::{Map, Value, json};

const ITEMS: [&str; 4] = ["saddle_sensation", "bowel_control", "urinary_retention", "urinary_leakage"];
const MOVEMENTS: [&str; 4] = ["knee_extension", "ankle_dorsiflexion", "great_toe_extension", "ankle_plantarflexion"];
const RISKS: [&str; 8] = [
    "fever",
    "weight_loss",
    "night_pain",
    "cancer_history",
    "iv_drug_use",
    "immunosuppressed",
    "recent_infection_or_procedure",
    "anticoagulant",
];

/// A whole calm visit that is refused for its pain alone.
fn calm() -> Value {
    let no = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!("no"))).collect::<Map<_, _>>();
    let mut screen = no(&ITEMS);
    screen.insert("post_void_residual_ml".to_owned(), json!(20));
    let mut serious = no(&RISKS);
    serious.insert("temperature_c".to_owned(), json!(36.8));
    let strong: Map<_, _> =
        MOVEMENTS.iter().map(|name| ((*name).to_owned(), json!({ "left": 5, "right": 5 }))).collect();
    json!({
        "id": "v1", "assessed_at": "2026-01-21T08:00:00Z", "author": "clinician", "new_weakness": "no",
        "pain": { "leg": { "scale": "vas", "value": "forty" } }, "trauma": { "occurred": "no" },
        "cauda_equina": screen, "motor": strong, "serious": serious,
    })
}

/// The calm visit with one thing otherwise.
fn with(place: &str, value: Value) -> Value {
    let mut body = calm();
    let mut at = &mut body;
    for name in place.split('/') {
        at = &mut at[name];
    }
    *at = value;
    body
}

fn is_told(body: &Value) -> bool {
    matches!(feared(body), Fear::Danger | Fear::ReadInPart)
}

fn all_are_told(bodies: impl IntoIterator<Item = Value>) {
    let silent: Vec<_> = bodies.into_iter().filter(|body| !is_told(body)).map(|body| body.to_string()).collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

fn all_are_calm(bodies: impl IntoIterator<Item = Value>) {
    let told: Vec<_> = bodies.into_iter().filter(is_told).map(|body| body.to_string()).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn a_half_of_an_answer_that_is_not_understood_is_told() {
    let saddle = |answer: Value| with("cauda_equina/saddle_sensation", answer);
    all_are_told([
        saddle(json!({ "patient": "ja" })),
        saddle(json!({ "patient": "numb since noon", "clinician": "no" })),
        saddle(json!({ "patient": "\u{2713}", "clinician": "no" })),
        saddle(json!({ "patient": "\u{2713}", "clinician": "no", "text": "seen" })),
        saddle(json!({ "patient": -1 })),
        saddle(json!(-1)),
        saddle(json!({ "status": "numb" })),
        saddle(json!([{ "v": "numb" }])),
        with("motor/knee_extension", json!({ "left": { "desc": "paralysed" } })),
        with("motor/knee_extension", json!({ "left": { "muscle_power": "II" } })),
        with("motor/knee_extension/left", json!(-1)),
        with("cauda_equina/post_void_residual_ml", json!(-1)),
        with("cauda_equina/post_void_residual_ml", json!({ "v": "six hundred" })),
    ]);
}

#[test]
fn a_block_in_another_shape_or_under_another_name_is_told() {
    all_are_told([
        with("cauda_equina", json!("yes")),
        with("cauda_equina", json!(true)),
        with("cauda_equina", json!(1)),
        with("cauda_equina", json!("positive")),
        with("cauda_equina", json!("numb between the legs, cannot pass urine")),
        with("cauda_equina", json!(["numb between the legs"])),
        with("motor", json!("left foot drop 1/5")),
        with("motor", json!(["foot drop left"])),
        with("motor", json!(1)),
        with("motor", json!({ "left": 1, "right": 5 })),
        with("motor/quadriceps_left", json!(1)),
        with("motor/strength_quadriceps", json!(1)),
        with("motor/left", json!({ "quadriceps": 1 })),
        with("cauda_equina/numbness_left", json!("yes")),
        with("cauda_equina/unable_to_void", json!("yes")),
        with("cauda_equina/numb_seat", json!("yes")),
        with("cauda_equina/value", json!("yes")),
        with("cauda_equina/result", json!("positive")),
        with("cauda_equina/selected", json!(["numbness"])),
        with("cauda_equina.numbness", json!("yes")),
        with("cauda_equina_numbness", json!("yes")),
        with("motor.quadriceps.left", json!(1)),
        with("cauda_equine", json!({ "numbness": "yes" })),
        with("cauda_equina_screen", json!({ "numbness": "yes" })),
        with("red_flags", json!({ "numbness": "yes" })),
        with("motor_exam", json!({ "quadriceps": { "left": 1 } })),
    ]);
}

#[test]
fn a_question_whose_answer_is_not_understood_is_told_whatever_its_names() {
    let saddle = "saddle_sensation";
    let field = |field: Value| with("fields_sent", json!([field]));
    all_are_told([
        field(json!({ "feld": saddle, "wert": "ja" })),
        field(json!({ "frage": saddle, "antwort": "ja" })),
        field(json!({ "q": saddle, "a": "numb" })),
        field(json!({ "key": saddle, "val": "numb" })),
        field(json!({ "field": saddle, "content": "ja" })),
        field(json!({ "field": saddle, "raw": "ja" })),
        field(json!({ "item": saddle, "status": "abnormal" })),
        field(json!({ "item": saddle, "finding": "reduced" })),
        field(json!({ "symptom": "urinary_retention", "severity": "severe" })),
        field(json!({ "code": saddle, "interpretation": "A" })),
        field(
            json!({ "OBX.3": { "OBX.3.1": saddle, "OBX.3.2": "Saddle", "OBX.3.3": "L" }, "OBX.5": { "OBX.5.1": "Y" } }),
        ),
        field(json!({ "OBX.1": "1", "OBX.2": "ST", "OBX.3": saddle, "OBX.5": "numb" })),
    ]);
}

#[test]
fn a_form_of_another_kind_in_a_text_is_told() {
    let filler = "bowel_control and urinary_leakage were asked as well";
    let text = |text: &str| with("form", json!(format!("{text} {filler}")));
    all_are_told([
        text("OBX|1|ST|saddle_sensation^Saddle^L||Y|||A\r"),
        text("item,answer\nsaddle_sensation,yes\n"),
        text("saddle_sensation=yes&x=1&"),
        text("<form><saddle_sensation>yes</saddle_sensation></form>"),
        text("{'saddle_sensation': 'yes'}"),
        text("data={\"saddle_sensation\":\"yes\"}"),
    ]);
}

#[test]
fn a_usual_mistake_of_a_calm_form_wakes_nobody() {
    let unanswered =
        ["", "N", "0", "not done", "n.a.", "not applicable", "n/k", "NULL", "null", "ND", "don't know", "normal"];
    all_are_calm(unanswered.map(|answer| with("cauda_equina/bowel_control", json!(answer))));
    let residuals = [
        json!("n/a"),
        json!(5.5),
        json!(12.5),
        json!("<50"),
        json!("20-30 mL"),
        json!("20 ml (bladder scan)"),
        json!("approx 20"),
        json!("20 mL on 2026-11-27"),
        json!({ "value": 20, "unit": "mL", "measured": "2026-11-27T10:00:00Z" }),
        json!({ "value": 20, "device": "BladderScan 3000" }),
    ];
    all_are_calm(residuals.map(|residual| with("cauda_equina/post_void_residual_ml", residual)));
    let strengths =
        [json!("5+"), json!("4+/5"), json!("5/5 (MRC)"), json!("NT"), json!({ "value": 5, "max": 5, "min": 0 })];
    all_are_calm(strengths.map(|grade| with("motor/knee_extension/left", grade)));
    let mut fahrenheit = with("serious/temperature_c", json!(98.6));
    fahrenheit["serious"]["immunosuppressed"] = json!("yes");
    all_are_calm([fahrenheit.clone()]);
    fahrenheit["serious"]["temperature_c"] = json!("102.5 F");
    all_are_told([fahrenheit]);
}

#[test]
fn what_says_how_something_was_asked_wakes_nobody() {
    let saddle = "saddle_sensation";
    all_are_calm([
        with("cauda_equina/examiner", json!("Dr A")),
        with("cauda_equina/screened_by", json!("dr-a")),
        with("cauda_equina/examined_at", json!("2026-01-21")),
        with("cauda_equina/completed", json!("yes")),
        with("cauda_equina/asked", json!(true)),
        with("cauda_equina/status", json!("completed")),
        with("cauda_equina/post_void_residual_unit", json!("mL")),
        with("cauda_equina/saddle_sensation", json!({ "answer": "no", "confirmed": true, "by": "dr-a" })),
        with("cauda_equina/saddle_sensation", json!({ "patient": "no", "confidence": 3 })),
        with("motor/scale", json!("MRC")),
        with("serious/comment", json!("fine")),
        with("title", json!("temperature check")),
        with("reason", json!("saddle_sensation check")),
        with("form", json!("cauda_equina_saddle_sensation_v2")),
        with("required_fields", json!([saddle, "bowel_control"])),
        with("not_asked", json!([saddle])),
        with("skipped", json!([saddle])),
        with("cauda_equina", json!([[saddle, "no"], ["bowel_control", "no"]])),
        with("cauda_equina", json!([{ "row": 1, "question": saddle, "val": "no" }])),
        with("cauda_equina", json!([{ "code": saddle, "value": false, "weight": 1 }])),
        with("obs", json!([{ "code": { "coding": [{ "system": "urn:x", "code": saddle }] }, "valueBoolean": false }])),
        with(
            "item",
            json!([{ "linkId": saddle, "text": "Saddle sensation", "answer": [{ "valueCoding": { "system": "http://loinc.org", "code": "LA32-8", "display": "No" } }] }]),
        ),
    ]);
}
