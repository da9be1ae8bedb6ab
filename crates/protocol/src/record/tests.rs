use serde_json::{Value, json};

use super::*;

fn golden() -> Value {
    let case = include_str!("../../tests/cases/17b-surgery-raised-at-43.json");
    let case: Value = serde_json::from_str(case).expect("the case is JSON");
    case["record"].clone()
}

fn visit() -> Value {
    json!({"id": "v1", "assessed_at": "2026-01-01T09:00:00+01:00", "author": "patient"})
}

fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer to a field");
    base.pointer_mut(parent).expect("the parent is there")[name] = value;
    base
}

fn pointers(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

#[test]
fn a_record_comes_back_from_its_own_json() {
    let record = Record::parse(&golden()).expect("the case is valid");
    let json = serde_json::to_value(&record).expect("a record is JSON");
    assert_eq!(json["format"], "lasegue.record/1");
    assert_eq!(Record::parse(&json), Ok(record));
}

#[test]
fn every_kind_of_field_comes_back() {
    let full = json!({
        "id": "v1", "assessed_at": "2026-01-01T09:00:00+01:00", "author": "ehr",
        "received_at": "2026-01-02T09:00:00Z", "supersedes": "v0",
        "pain": {"leg": {"scale": "nrs", "value": 7}, "dermatomes": [], "quality": ["burning"],
                 "temporal": "night", "below_knee": {"left": "unknown"}, "dn4_interview": 3},
        "motor": {"hip_flexion": {"left": 4, "right": null}},
        "motor_longstanding": ["left.hip_flexion"],
        "reflexes": {"knee": {"right": 4}}, "sensation": {"left": {"S2": 2}},
        "straight_leg_raise": {"left": {"leg_pain": "yes", "angle_deg": 30, "crossed": "no"}},
        "cauda_equina": {"bowel_control": {"patient": "yes", "clinician": "no"},
                         "urinary_leakage": "no", "post_void_residual_ml": 2000},
        "odi": [0, 1, 2, 3, 4, 5, null, null, null, 0],
        "work": {"status": "off_pain", "activity": "normal"},
        "walking": {"minutes": 600, "relief_flexion": "yes"},
        "serious": {"temperature_c": 37.9, "night_pain": "yes"},
        "trauma": {"occurred": "yes", "date": "2025-12-31"}
    });
    let parsed = parse_submission(&full).accept().expect("it is valid");
    let json = serde_json::to_value(&parsed).expect("a submission is JSON");
    assert_eq!(json, with(full, "/motor/hip_flexion", json!({"left": 4})));
}

#[test]
fn every_fault_is_reported_with_its_place() {
    let mut bad = golden();
    bad["episode"]["onset_date"] = json!("2025-02-30");
    bad["episode"]["time_zone"] = json!("Europe/Atlantis");
    bad["submissions"][0]["motor"]["knee_extension"]["left"] = json!(6);
    bad["submissions"][0]["pain"]["leg"] = json!({"scale": "nrs", "value": 11});
    bad["submissions"][1]["odi"] = json!([0, 1, 2]);
    bad["adjudications"] = json!([{"kind": "void", "at": "yesterday", "by": "", "note": "x"}]);
    let faults = Record::parse(&bad).expect_err("it is faulty");
    let expected = [
        "/episode/onset_date",
        "/episode/time_zone",
        "/submissions/0/pain/leg/value",
        "/submissions/0/motor/knee_extension/left",
        "/submissions/1/odi",
        "/adjudications/0/at",
        "/adjudications/0/by",
        "/adjudications/0/submission",
    ];
    assert_eq!(pointers(&faults), expected);
}

#[test]
fn an_unknown_field_is_refused_with_a_suggestion() {
    let misspelt = with(visit(), "/cauda_equina", json!({"bowel_controll": "yes"}));
    let faults = parse_submission(&misspelt).faults;
    assert_eq!(pointers(&faults), ["/cauda_equina/bowel_controll"]);
    assert!(faults[0].reason.contains("did you mean \"bowel_control\"?"));
    let strange = parse_submission(&with(visit(), "/x~y", json!(1))).faults;
    assert_eq!(pointers(&strange), ["/x~0y"]);
    assert!(strange[0].reason.contains("allowed here: id, assessed_at"));
}

#[test]
fn null_reads_as_missing_and_a_missing_required_field_is_a_fault() {
    let parsed = parse_submission(&with(visit(), "/new_weakness", Value::Null));
    assert!(parsed.faults.is_empty());
    let faults = parse_submission(&with(visit(), "/author", Value::Null)).faults;
    assert_eq!(faults[0].to_string(), "/author: is required");
}

#[test]
fn ranges_end_where_they_say() {
    let faulty = |pointer, value: Value| {
        let base = json!({"id": "v", "assessed_at": "2026-01-01T09:00:00Z", "author": "ehr",
            "serious": {}, "cauda_equina": {}, "walking": {}, "reflexes": {"knee": {}},
            "sensation": {"left": {}}, "straight_leg_raise": {"left": {}},
            "pain": {"leg": {"scale": "vas"}}, "motor": {"knee_extension": {}}});
        let faults = parse_submission(&with(base, pointer, value)).faults;
        faults.iter().any(|fault| fault.pointer == pointer)
    };
    let ranges = [
        ("/serious/temperature_c", json!(30.0), json!(45.0)),
        ("/cauda_equina/post_void_residual_ml", json!(0), json!(2000)),
        ("/walking/minutes", json!(0), json!(600)),
        ("/reflexes/knee/left", json!(0), json!(4)),
        ("/sensation/left/L1", json!(0), json!(2)),
        ("/straight_leg_raise/left/angle_deg", json!(0), json!(90)),
        ("/pain/leg/value", json!(0), json!(100)),
        ("/pain/dn4_interview", json!(0), json!(7)),
        ("/motor/knee_extension/left", json!(0), json!(5)),
    ];
    for (pointer, least, most) in ranges {
        assert!(!faulty(pointer, least.clone()) && !faulty(pointer, most.clone()));
        let below = json!(least.as_f64().expect("a number") - 0.1);
        let above = json!(most.as_f64().expect("a number") + 1.0);
        assert!(faulty(pointer, below), "{pointer} is too low");
        assert!(faulty(pointer, above), "{pointer} is too high");
        assert!(faulty(pointer, json!("1")), "{pointer} is no text");
    }
}

#[test]
fn a_temperature_is_exact_and_never_rounded_up_to_a_fever() {
    let micro = |text: &str| {
        let serious = format!(
            r#"{{"id":"v","assessed_at":"2026-01-01T09:00:00Z","author":"ehr",
            "serious":{{"temperature_c":{text}}}}}"#
        );
        let value = serde_json::from_str(&serious).expect("it is JSON");
        let draft = parse_submission(&value).value;
        let read = draft.report.serious.temperature_c;
        read.map(Temperature::micro_celsius)
    };
    assert_eq!(micro("38"), Some(38_000_000));
    assert_eq!(micro("38.0"), Some(38_000_000));
    assert_eq!(micro("37.95"), Some(37_950_000));
    assert_eq!(micro("37.999999999"), Some(37_999_999));
    assert_eq!(micro("29.999999999"), None);
    assert_eq!(micro("45.000001"), None);
    assert_eq!(micro("1e300"), None);
}

#[test]
fn text_that_is_no_json_is_one_fault() {
    let faults = Record::parse_slice(b"{").expect_err("it is cut off");
    assert!(faults[0].reason.starts_with("is not readable as JSON"));
    let faults = Record::parse_slice(b"[1]").expect_err("it is no object");
    assert_eq!(faults[0].to_string(), "/: must be an object");
}

#[test]
fn danger_survives_every_fault_around_it() {
    let body = json!({
        "assessed_at": "soon", "author": 7, "surprise": true,
        "cauda_equina": {"saddle_sensation": {"patient": "yes", "clinician": "perhaps"},
                         "sexual_dysfunction": "yes", "bowel_control": 1},
        "motor": {"knee_extension": {"left": 3, "right": "weak"},
                  "great_toe_extension": {"left": 4}}
    });
    let parsed = parse_submission(&body);
    assert_eq!(parsed.faults.len(), 7, "{:?}", parsed.faults);
    let signs = [
        DangerSign::CaudaEquina(CaudaEquinaItem::SaddleSensation),
        DangerSign::Weakness(Side::Left, Movement::KneeExtension),
    ];
    assert_eq!(danger_signs(&parsed.value), signs);
}

#[test]
fn the_parts_of_a_record_are_checked_together() {
    let faults_of = |pointer: &str, value: Value| {
        let record = with(golden(), pointer, value);
        let record = Record::parse(&record).expect("each part is valid");
        let faults = check_record(&record);
        pointers(&faults).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let void = json!([{"kind": "void", "submission": "x", "at": "2026-01-01T09:00:00Z",
        "by": "a", "note": "b"}]);
    assert!(check_record(&Record::parse(&golden()).expect("it is valid")).is_empty());
    for (pointer, value) in [
        ("/submissions/1/id", json!("v0")),
        ("/submissions/1/supersedes", json!("nobody")),
        ("/submissions/1/supersedes", json!("v43")),
        ("/patient/birth_date", json!("2025-12-19")),
        ("/episode/treatment_start", json!("2026-02-14")),
        ("/episode/treatments/0/date", json!("2026-02-14")),
        ("/episode/imaging/0/date", json!("2026-02-14")),
        ("/submissions/0/trauma/date", json!("2026-02-14")),
    ] {
        assert_eq!(faults_of(pointer, value), [pointer]);
    }
    assert_eq!(faults_of("/adjudications", void), ["/adjudications/0/submission"]);
    assert!(faults_of("/episode/imaging/0/date", json!("2026-02-13")).is_empty());
}

#[test]
fn texts_are_trimmed_and_control_characters_refused_wherever_a_text_stands() {
    let padded = format!("{}seen{}", " ".repeat(10_500), " ".repeat(10_500));
    let signed =
        json!({"kind": "void", "submission": " v1 ", "at": "2026-01-02T09:00:00Z", "by": " dr-a", "note": padded});
    let read = parse_adjudication(&signed).expect("blanks do not count");
    assert_eq!((read.by.as_str(), read.note.as_str()), ("dr-a", "seen"));
    assert_eq!(read.decision, Decision::Void { submission: SubmissionId("v1".to_owned()) });
    let wicked = json!({"kind": "void", "submission": "v\u{0}", "at": "2026-01-02T09:00:00Z", "by": "a\nb", "note": "\u{1b}[2J"});
    let faults = parse_adjudication(&wicked).expect_err("it is faulty");
    assert_eq!(pointers(&faults), ["/by", "/note", "/submission"]);
    assert_eq!(faults[2].reason, "must not hold the control character U+0000");
    let faults = parse_submission(&with(visit(), "/id", json!("v\u{0}"))).faults;
    assert_eq!(pointers(&faults), ["/id"]);
    for (block, field) in [("patient", "id"), ("episode", "id")] {
        let mut record = golden();
        record[block][field] = json!("a\u{0}b");
        assert_eq!(pointers(&Record::parse(&record).expect_err("refused")), [format!("/{block}/{field}")]);
        assert!(Record::parse_kept(&record).is_ok(), "what was accepted once stays readable");
    }
}

#[test]
fn the_name_of_an_unknown_field_is_shown_short_and_without_control_characters() {
    let mut body = visit();
    body["saddle\u{0}\u{1b}"] = json!("yes");
    body["x".repeat(100_000)] = json!(1);
    let faults = parse_submission(&body).faults;
    let expected = ["/saddle\\u{0}\\u{1b}".to_owned(), format!("/{}…", "x".repeat(64))];
    assert_eq!(pointers(&faults), expected);
}

#[test]
fn a_very_long_name_is_not_compared_with_the_words_there_are() {
    for (length, suggested) in [(15, true), (100_000, false)] {
        let name = "saddle_sensation".chars().cycle().take(length).collect::<String>();
        let mut screen = json!({});
        screen[name] = json!("yes");
        let faults = parse_submission(&with(visit(), "/cauda_equina", screen)).faults;
        assert_eq!(faults[0].reason.contains("did you mean"), suggested);
    }
}

#[test]
fn nobody_is_examined_or_signed_about_before_birth() {
    let mut record = golden();
    record["patient"]["birth_date"] = json!("1980-06-15");
    record["submissions"][0]["assessed_at"] = json!("1980-06-14T12:00:00Z");
    record["adjudications"] = json!([{"kind": "longstanding", "item": "saddle_sensation", "at": "1950-01-01T00:00:00Z", "by": "dr-a", "note": "old"}]);
    let faults = check_record(&Record::parse(&record).expect("each part is sound"));
    assert_eq!(pointers(&faults), ["/submissions/0/assessed_at", "/adjudications/0/at"]);
    record["adjudications"][0]["at"] = json!("0000-01-01T00:00:00Z");
    assert_eq!(pointers(&Record::parse(&record).expect_err("refused")), ["/adjudications/0/at"]);
}
