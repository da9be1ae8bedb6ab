//! What is refused is read for danger in whatever way it was written.

use lasegue_protocol::feared::{Fear, feared};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[test]
fn a_danger_is_read_in_any_case_type_and_spelling() {
    let typo = json!({ "leg": { "scale": "vas", "valeu": 40 } });
    for body in [
        json!({ "motor": { "ankle_dorsiflexion": { "left": 2.0, "right": "5" } }, "pain": typo }),
        json!({ "motor": { "ankle_dorsiflexion": { "left": "2" } } }),
        json!({ "cauda_equina": { "saddle_sensation": "Yes" } }),
        json!({ "cauda_equina": { "saddle_sensation": true } }),
        json!({ "caudaequina": { "saddle_sensation": "yes" } }),
        json!({ "Motor": { "ankle_dorsiflexion": { "left": 3 } } }),
        json!({ "cauda_equina": { "post_void_residual_ml": 600 }, "pain": typo }),
        json!({ "serious": { "fever": "yes", "iv_drug_use": "yes" }, "new_weakness": "yes", "pain": typo }),
    ] {
        assert_eq!(feared(&body), Fear::Danger, "{body}");
    }
}

#[test]
fn every_emergency_that_can_be_read_is_evaluated() {
    for body in [
        json!({ "serious": { "temperature_c": "39,2", "Immunosuppressed": "yes" } }),
        json!({ "serious": { "feever": "yes" }, "newWeakness": "yes" }),
        json!({ "serious": { "anticoagulant": true }, "new_weakness": 1 }),
        json!({ "serious": { "cancer_history": "yes", "night_pain": "yes" }, "new_weakness": "yes" }),
        json!({ "motor": { "knee_extension": { "left": 4, "right": "4/5" } } }),
        json!({ "cauda_equina": { "post_void_residual_ml": "600 ml" } }),
    ] {
        assert_eq!(feared(&body), Fear::Danger, "{body}");
    }
}

#[test]
fn what_can_be_read_and_is_calm_alarms_nobody() {
    for body in [
        json!({ "id": "v1", "cauda_equina": { "saddle_sensation": "No", "post_void_residual_ml": "199" } }),
        json!({ "id": "v1", "motor": { "ankle_dorsiflexion": { "left": "4", "right": "5" } } }),
        json!({ "id": "v1", "serious": { "fever": "yes", "iv_drug_use": "no", "temperature_c": "37.9" } }),
        json!({ "id": "v1", "motor": { "ankle_dorsiflexion": { "left": 9 } } }),
    ] {
        assert_eq!(feared(&body), Fear::Nothing, "{body}");
    }
}

#[test]
fn of_what_holds_no_field_of_the_format_everything_is_feared() {
    for body in [json!([]), json!("yes"), json!({}), json!({ "visit": { "id": "v1" } }), json!(null)] {
        assert_eq!(feared(&body), Fear::Unread, "{body}");
    }
}

#[test]
fn a_danger_cannot_hide_behind_unknown_names() {
    let mut body: Map<_, _> = (0..600).map(|index| (format!("unknown{index}"), json!(1))).collect();
    body.insert("id".to_owned(), json!("v1"));
    body.insert("zaddle_senstaion".to_owned(), json!("yes"));
    assert_eq!(feared(&Value::Object(body.clone())), Fear::ReadInPart, "too many names to compare");
    body.insert("Saddle_Sensation".to_owned(), json!("yes"));
    assert_eq!(feared(&Value::Object(body)), Fear::Danger, "a name spelt right is always found");
}

#[test]
fn a_danger_cannot_hide_at_the_end_of_a_name_or_an_answer_that_is_longer_than_what_is_read() {
    let calm = json!({ "cauda_equina": { "bowel_control": "no" } });
    let with = |name: &str, value: Value| {
        let mut body = calm.clone();
        body["cauda_equina"][name] = value;
        body
    };
    let long = |text: &str| format!("{}{text}", " ".repeat(50_000));
    let beside = |name: &str, answer: &str| json!({ "cauda_equina": { "bowel_control": "no" }, name: answer });
    all_are(Fear::Nothing, [beside("x", &long("yes")), beside(&" ".repeat(400), "yes")]);
    all_are(
        Fear::ReadInPart,
        [with(&long("saddle_sensation"), json!("yes")), with("saddle_sensation", json!(long("yes")))],
    );
    all_are(
        Fear::Danger,
        [
            with(&format!("saddle_sensation{}", long("")), json!("yes")),
            with("saddle_sensation", json!("yes".to_owned() + &long(""))),
        ],
    );
}

#[test]
fn a_danger_cannot_hide_in_a_text_that_is_not_quite_json() {
    let form =
        |text: String| json!({ "form": text, "serious": { "fever": "no" }, "pain": { "leg": { "value": 200 } } });
    let yes = r#"{"saddle_sensation":"yes","padding":"as long as no name of a field is, whatever stands around it"}"#;
    let texts = [format!("{yes};"), format!("{yes}\n{yes}"), yes.replace('}', r#","b":NaN}"#)];
    all_are(Fear::ReadInPart, texts.map(form));
    all_are(Fear::Danger, [form(format!("\u{feff}{yes}"))]);
    all_are(Fear::Nothing, [form("[not examined]".to_owned()), form("{}".to_owned())]);
}

fn all_are(expected: Fear, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        assert_eq!(feared(&body), expected, "{body}");
    }
}

#[test]
fn a_residual_is_never_read_as_less_than_it_may_be() {
    let residual = |text: &str| json!({ "id": "v1", "cauda_equina": { "post_void_residual_ml": text } });
    let large = [
        "1,200 mL",
        "1.200 ml",
        "1 200",
        "1\u{2009}200 ml",
        "1\u{a0}200",
        "1'200",
        "6e2",
        "\u{ff16}\u{ff10}\u{ff10}",
        "0.6 l",
        "0.6 litres",
        "0,6 Liter",
        "1 L",
        "4 dl",
        "0.6",
        "after 20 min 600 ml",
        "> 150 ml",
    ];
    all_are(Fear::Danger, large.map(residual));
    all_are(Fear::Danger, [json!({ "id": "v1", "cauda_equina": { "post_void_residual_ml": 0.6 } })]);
    all_are(Fear::Nothing, ["199", "60 mL", "15.500", "150 ml, left side", "0", "100.0"].map(residual));
}

#[test]
fn a_strength_is_never_read_as_more_than_it_may_be() {
    let strength = |text: &str| json!({ "id": "v1", "motor": { "knee_extension": { "left": text } } });
    all_are(Fear::Danger, ["5, before the injury; now 2", "3+", "M2", "1.500", "\u{ff12}"].map(strength));
    all_are(Fear::Nothing, ["5", "5/5", "4/5", "M 5"].map(strength));
}

#[test]
fn a_yes_is_read_whatever_stands_around_it_and_a_no_stays_one() {
    let answer = |text: &str| json!({ "id": "v1", "cauda_equina": { "saddle_sensation": text } });
    let yes = [
        "yes, since Monday",
        "yes (left)",
        "Since Monday: YES",
        "\u{ff39}\u{ff25}\u{ff33}",
        "\u{443}\u{435}s",
        "ye\u{200b}s",
        "y\u{e9}s",
        "yse - left",
        "Y (left)",
        "present since 3 days",
        "not on the right, present on the left",
        "1",
        "no. Yes!",
        "true\n",
    ];
    all_are(Fear::Danger, yes.map(answer));
    let no = [
        "no",
        "No, since Monday",
        "not present",
        "none present",
        "no (left)",
        "\u{ff2e}\u{ff2f}",
        "denied",
        "not yet",
        "false",
        "isn't present",
        "0",
        "unknown",
        "2026-01-01: no",
        "negative",
    ];
    all_are(Fear::Nothing, no.map(answer));
}

#[test]
fn a_name_is_known_with_its_blocks_in_it() {
    all_are(
        Fear::Danger,
        [
            json!({ "id": "v1", "cauda_equina.saddle_sensation": "yes" }),
            json!({ "id": "v1", "cauda_equina_saddle_sensation": "yes" }),
            json!({ "id": "v1", "cauda_equina/saddle_sensation": "yes" }),
            json!({ "id": "v1", "caudaEquinaSaddleSensation": true }),
            json!({ "id": "v1", "visit[cauda_equina][sadle_sensation]": "yes" }),
            json!({ "id": "v1", "caudaEquinaSadleSensation": "yes" }),
            json!({ "id": "v1", "form_1_cauda_equina_urinary_retention_patient": "yes" }),
            json!({ "id": "v1", "\u{455}addle_\u{455}ensation": "yes" }),
            json!({ "id": "v1", "motor.knee_extension.left": 0 }),
            json!({ "id": "v1", "motor_knee_extension_l": "4", "motor_knee_extension_r": "4" }),
            json!({ "id": "v1", "motor.left.knee_extension": 4, "motor.right.knee_extension": 4 }),
            json!({ "id": "v1", "cauda_equina.post_void_residual_ml": 600 }),
            json!({ "id": "v1", "caudaEquinaPostVoidResidual": "600" }),
            json!({ "id": "v1", "serious.temperature_c": 39.5, "seriousIvDrugUse": "yes" }),
        ],
    );
    all_are(
        Fear::Nothing,
        [
            json!({ "id": "v1", "cauda_equina.saddle_sensation": "no", "motor.knee_extension.left": 5 }),
            json!({ "id": "v1", "motor_knee_extension_left": 4, "motor_left_knee_extension": 4 }),
            json!({ "id": "v1", "caudaEquinaPostVoidResidual": "60", "cauda_equina_bowel_control": false }),
        ],
    );
}

#[test]
fn many_flat_names_of_few_words_are_few_names() {
    let name = |index: usize| format!("block{}.part{}.value{}", index / 100, index / 10 % 10, index % 10);
    let mut body: Map<_, _> = (0..600).map(|index| (name(index), json!(1))).collect();
    body.insert("cauda_equina.saddle_sensation".to_owned(), json!("no"));
    assert_eq!(feared(&Value::Object(body)), Fear::Nothing);
}

#[test]
fn a_text_that_holds_json_is_read_as_what_it_holds() {
    let text = |value: Value| Value::String(value.to_string());
    let saddle = |answer: &str| json!({ "saddle_sensation": answer });
    all_are(
        Fear::Danger,
        [
            json!({ "id": "v1", "cauda_equina": text(saddle("yes")) }),
            json!({ "id": "v1", "data": text(json!([{ "cauda_equina": text(saddle("yes")) }])) }),
            text(text(json!({ "cauda_equina": saddle("yes") }))),
        ],
    );
    all_are(Fear::Nothing, [json!({ "id": "v1", "cauda_equina": text(saddle("no")) })]);
}

#[test]
fn a_name_is_known_in_the_place_of_a_value() {
    let questionnaire = |item: Value| json!({ "resourceType": "QuestionnaireResponse", "id": "v1", "status": "completed", "item": item });
    let coded =
        |code: &str| json!([{ "valueCoding": { "system": "http://example.org/1", "version": "1", "code": code } }]);
    all_are(
        Fear::Danger,
        [
            json!({ "id": "v1", "cauda_equina": ["saddle_sensation"] }),
            json!({ "id": "v1", "cauda_equina": "saddle_sensation, bowel_control" }),
            json!({ "id": "v1", "symptoms": [{ "code": "saddle_sensation" }] }),
            json!({ "id": "v1", "motor": [{ "movement": "knee_extension", "side": "left", "grade": 0 }] }),
            json!({ "id": "v1", "motor": [{ "movement": "knee_extension", "left": 5, "right": "2" }] }),
            json!({ "id": "v1", "answers": [{ "item": "saddle_sensation", "answer": "yes" }] }),
            json!({ "id": "v1", "answers": [{ "question": "Saddle sensation", "value": "Yes, since Monday" }] }),
            json!({ "id": "v1", "answers": [{ "id": 7, "code": { "coding": [{ "code": "saddle_sensation" }] }, "valueBoolean": true }] }),
            json!({ "id": "v1", "answers": [{ "name": "saddle_sensation", "data": "yes" }] }),
            json!({ "id": "v1", "answers": [{ "linkId": "cauda_equina.post_void_residual_ml", "value": 600 }] }),
            questionnaire(json!([{ "linkId": "cauda_equina.saddle_sensation", "answer": coded("yes") }])),
            questionnaire(
                json!([{ "linkId": "1", "item": [{ "linkId": "saddle_sensation", "answer": [{ "valueBoolean": true }] }] }]),
            ),
        ],
    );
    all_are(
        Fear::Nothing,
        [
            json!({ "id": "v1", "answers": [{ "id": 7, "item": "saddle_sensation", "answer": "no", "required": true }] }),
            json!({ "id": "v1", "answers": [{ "order": 7, "name": "saddle_sensation", "data": "no" }] }),
            json!({ "id": "v1", "absent": ["saddle_sensation"], "cauda_equina": { "bowel_control": "no" } }),
            json!({ "id": "v1", "motor": [{ "id": 1, "movement": "knee_extension", "side": "left", "grade": 5 }] }),
            json!({ "id": "v1", "note": "saddle sensation normal", "new_weakness": "yes" }),
            questionnaire(
                json!([{ "linkId": "saddle_sensation", "answer": coded("no") }, { "linkId": "work", "answer": coded("yes") }]),
            ),
        ],
    );
}

#[test]
fn an_answer_that_is_not_understood_is_never_taken_for_a_no() {
    let calm = |rest: Value| json!({ "id": "v1", "serious": { "fever": "no" }, "form": rest });
    let of = |name: &str, value: &str| calm(json!({ name: value }));
    let answers = ["\u{2713}", "\u{1f188}\u{1f174}\u{1f182}", "ja", "numb since noon", "not normal", "no, until today"];
    all_are(Fear::ReadInPart, answers.map(|text| of("saddle_sensation", text)));
    let question = "In the last week, did you notice any change in your saddle_sensation when sitting or wiping?";
    all_are(
        Fear::ReadInPart,
        [
            of("knee_extension_left", "II/V"),
            of("knee_extension_left", "two of five"),
            of("post_void_residual_ml", "\u{666}\u{660}\u{660}"),
            of("temperature_c", "very hot"),
            calm(json!({ "item": "saddle_sensation", "answer": "\u{2714}" })),
            calm(json!({ "linkId": "saddle_sensation", "answer": [{ "valueCoding": { "code": "LA14072-5" } }] })),
            calm(json!({ "saddle_sensation": { "answer": "LA14072-5", "by": "nurse" } })),
            calm(json!({ "question": question, "answer": "a bit" })),
        ],
    );
    all_are(Fear::Danger, [of("saddle_sensation", "not at first but present now")]);
    all_are(
        Fear::Nothing,
        [
            of("saddle_sensation", "not asked"),
            of("saddle_sensation", " - "),
            of("knee_extension_left", "normal"),
            of("knee_extension_left", "not tested"),
            of("post_void_residual_ml", "after 20 min: 60 mL"),
            of("temperature_c", "36,8 \u{b0}C"),
            calm(json!({ "saddle_sensation": { "answer": "no", "by": "dr-a", "at": "2026-01-05T11:00:00Z" } })),
            calm(json!({ "question": question, "answer": "no" })),
        ],
    );
}

#[test]
fn what_stands_in_a_block_under_another_name_is_not_taken_for_calm() {
    let form = |rest: Value| json!({ "id": "v1", "new_weakness": "no", "form": rest });
    let screen = |name: &str, value: Value| form(json!({ "cauda_equina": { name: value } }));
    let motor = |name: &str, value: Value| form(json!({ "motor": { name: value } }));
    all_are(
        Fear::ReadInPart,
        [
            screen("numb", json!("a lot")),
            screen("between_the_legs", json!({ "patient": "yes" })),
            motor("foot_drop", json!("yes")),
            motor("quadriceps", json!({ "left": 1, "right": 5 })),
            form(json!({ "serious": { "chills": true } })),
        ],
    );
    all_are(
        Fear::Danger,
        [
            form(json!({ "saddle_anaesthesia": "yes" })),
            screen("saddle", json!(true)),
            screen("perianal_numbness", json!("yes")),
            screen("pvr", json!(600)),
            form(json!({ "incontinence": "yes" })),
        ],
    );
    all_are(
        Fear::Nothing,
        [
            screen("numb", json!("no")),
            screen("examined_by", json!("dr-a")),
            screen("note", json!("walks well")),
            motor("quadriceps", json!({ "left": 5, "right": "5/5" })),
            form(json!({ "serious": { "steroids": "yes", "osteoporosis": true } })),
            form(json!({ "summary": "saddle area fine", "leg_pain": 7 })),
        ],
    );
}

#[test]
fn a_form_of_numbered_questions_is_read_at_its_worst() {
    let form = |rest: Value| json!({ "id": "v1", "serious": { "fever": "no" }, "form": rest });
    all_are(
        Fear::Danger,
        [
            form(
                json!({ "question_1": "fever", "answer_1": "no", "question_2": "saddle_sensation", "answer_2": "yes" }),
            ),
            form(json!({ "q1": "fever", "a1": "no", "q2": "saddle_sensation", "a2": "yes" })),
            form(json!({ "q1": "fever", "a1": "no", "q2": "post_void_residual_ml", "a2": 600 })),
        ],
    );
    all_are(Fear::Nothing, [form(json!({ "q1": "fever", "a1": "no", "q2": "saddle_sensation", "a2": "no" }))]);
}

#[test]
fn a_residual_in_litres_is_read_wherever_its_unit_stands() {
    let form = |rest: Value| json!({ "id": "v1", "cauda_equina": rest });
    all_are(
        Fear::Danger,
        [
            form(json!({ "post_void_residual": { "value": 1, "unit": "L" } })),
            form(json!({ "post_void_residual_l": 1 })),
            form(json!({ "postVoidResidualLitres": "1" })),
            form(json!([{ "item": "post_void_residual", "answer": "2", "unit": "dl" }])),
        ],
    );
    all_are(
        Fear::Nothing,
        [
            form(json!({ "post_void_residual": { "value": 60, "unit": "mL" } })),
            form(json!({ "post_void_residual_ml": 1 })),
        ],
    );
}

#[test]
fn a_text_of_json_that_names_a_field_twice_is_read_with_both_answers() {
    let form = |text: &str| json!({ "id": "v1", "serious": { "fever": "no" }, "form": text });
    let twice = r#"{"saddle_sensation":"yes","saddle_sensation":"no"}"#;
    all_are(Fear::Danger, [form(twice), form(&format!("\u{feff}{twice}"))]);
}

#[test]
fn a_body_of_which_nothing_clinical_can_be_read_is_unreadable_whatever_its_envelope() {
    let envelope = |rest: Value| {
        let mut body = json!({ "id": "v1", "assessed_at": "2026-01-21T08:00:00Z", "author": "patient" });
        body.as_object_mut().expect("an object").extend(rest.as_object().cloned().expect("an object"));
        body
    };
    all_are(
        Fear::Unread,
        [
            envelope(json!({})),
            envelope(json!({ "colour": "blue" })),
            envelope(json!({ "legs": { "numb": "a lot" } })),
            envelope(
                json!({ "resourceType": "QuestionnaireResponse", "item": [{ "linkId": "q1", "answer": [{ "valueBoolean": true }] }] }),
            ),
        ],
    );
    all_are(
        Fear::Nothing,
        [
            envelope(json!({ "colour": "blue", "pain": { "leg": { "scale": "vas", "value": 40 } } })),
            envelope(json!({ "Cauda_Equina": { "saddle_sensation": "No" } })),
        ],
    );
}

/// Valid visits that are an emergency, as name, place and value of what makes them one.
const EMERGENCIES: [&[(&str, &str)]; 6] = [
    &[("/cauda_equina/bowel_control", "\"yes\"")],
    &[("/cauda_equina/post_void_residual_ml", "450")],
    &[("/motor/great_toe_extension", r#"{"right":1}"#)],
    &[("/serious/fever", "\"yes\""), ("/serious/recent_infection_or_procedure", "\"yes\"")],
    &[("/serious/temperature_c", "38.4"), ("/serious/iv_drug_use", "\"yes\"")],
    &[("/serious/anticoagulant", "\"yes\""), ("/new_weakness", "\"yes\"")],
];

fn dangerous(emergency: &[(&str, &str)]) -> Value {
    let mut body = json!({ "id": "v1", "cauda_equina": {}, "motor": {}, "serious": {} });
    for (pointer, value) in emergency {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("a block")[name] = serde_json::from_str(value).expect("JSON");
    }
    body
}

/// One way to write every name or value of a body otherwise.
#[derive(Clone, Copy, Debug)]
enum Damage {
    UpperNames,
    CamelNames,
    /// Two neighbouring letters of each name changed places.
    SwappedNames(usize),
    DroppedLetter(usize),
    NumbersAsText,
    WholeAsDecimal,
    AnswersAsFlags,
    UpperAnswers,
    AnotherBlock,
    TypoElsewhere,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::UpperNames),
        Just(Damage::CamelNames),
        (0..64_usize).prop_map(Damage::SwappedNames),
        (0..64_usize).prop_map(Damage::DroppedLetter),
        Just(Damage::NumbersAsText),
        Just(Damage::WholeAsDecimal),
        Just(Damage::AnswersAsFlags),
        Just(Damage::UpperAnswers),
        Just(Damage::AnotherBlock),
        Just(Damage::TypoElsewhere),
    ]
}

impl Damage {
    fn done_to(self, body: Value) -> Value {
        match (self, body) {
            (Self::AnotherBlock, body) => json!({ "visit": [body] }),
            (Self::TypoElsewhere, mut body) => {
                body["pain"] = json!({ "leg": { "scale": "vas", "valeu": 40 } });
                body
            }
            (_, Value::Object(fields)) => {
                fields.into_iter().map(|(name, value)| (self.name(&name), self.done_to(value))).collect()
            }
            (Self::NumbersAsText, Value::Number(number)) => json!(number.to_string()),
            (Self::WholeAsDecimal, Value::Number(number)) => json!(number.as_f64()),
            (Self::AnswersAsFlags, value) if value == "yes" => json!(true),
            (Self::UpperAnswers, Value::String(text)) => json!(text.to_uppercase()),
            (_, other) => other,
        }
    }

    fn name(self, name: &str) -> String {
        let mut letters: Vec<_> = name.chars().collect();
        let length = letters.len();
        match self {
            Self::UpperNames => return name.to_uppercase(),
            Self::CamelNames => return name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect(),
            Self::SwappedNames(at) if length > 1 => letters.swap(at % (length - 1), at % (length - 1) + 1),
            Self::DroppedLetter(at) if length > 4 => _ = letters.remove(at % length),
            _ => {}
        }
        letters.into_iter().collect()
    }
}

proptest! {
    #[test]
    fn a_dangerous_visit_is_feared_whatever_single_way_it_is_written_otherwise(
        which in 0..EMERGENCIES.len(),
        damage in damage(),
    ) {
        let body = damage.done_to(dangerous(EMERGENCIES[which]));
        prop_assert_eq!(feared(&body), Fear::Danger, "{}", body);
    }

    #[test]
    fn any_json_is_read_without_harm(text in r#"[\[\]{}",:a1yesfevr .eE-]{0,60}"#) {
        if let Ok(value) = serde_json::from_str(&text) {
            feared(&value);
        }
    }
}
