//! Bodies in JSON: one sound one of each kind, with something else in one place at a time.

use super::wicked::{DAYS, NUMBERS, TEXTS, TIMES, ZONES};

/// A body with a place for each of its parts.
fn registration(number: usize, part: &str, value: &str) -> String {
    let given = |name: &str, usual: &str| if name == part { value.to_owned() } else { usual.to_owned() };
    format!(
        r#"{{"patient":{{"id":{},"birth_date":{},"sex":{}}},"episode":{{"id":{},"onset_date":{},"treatment_start":{},"time_zone":{}}},"contact":{{"name":{},"phone":{}}},"clinic":{},"clinician":{}}}"#,
        given("patient.id", &format!("\"p{number}\"")),
        given("birth_date", "\"1980-06-15\""),
        given("sex", "\"female\""),
        given("episode.id", "\"1\""),
        given("onset_date", "\"2026-01-01\""),
        given("treatment_start", "\"2026-01-05\""),
        given("time_zone", "\"Europe/London\""),
        given("name", "\"Testa Syntheta\""),
        given("phone", "\"+44 20 7946 0000\""),
        given("clinic", "\"spine\""),
        given("clinician", "\"dr-a\""),
    )
}

fn submission(number: usize, part: &str, value: &str) -> String {
    let given = |name: &str, usual: &str| if name == part { value.to_owned() } else { usual.to_owned() };
    format!(
        r#"{{"id":{},"assessed_at":{},"author":{},"supersedes":{},"pain":{{"leg":{{"scale":"vas","value":{}}}}},"motor":{{"knee_extension":{{"left":{}}}}},"cauda_equina":{{"saddle_sensation":{},"post_void_residual_ml":{}}},"serious":{{"temperature_c":{}}},"trauma":{{"occurred":"no","date":{}}}}}"#,
        given("id", &format!("\"v{number}\"")),
        given("assessed_at", &format!("\"2026-01-20T10:{:02}:{:02}Z\"", number / 60 % 60, number % 60)),
        given("author", "\"clinician\""),
        given("supersedes", "null"),
        given("value", "40"),
        given("left", "5"),
        given("saddle", "\"no\""),
        given("residual", "10"),
        given("temperature", "37"),
        given("date", "null"),
    )
}

fn adjudication(number: usize, part: &str, value: &str) -> String {
    let given = |name: &str, usual: &str| if name == part { value.to_owned() } else { usual.to_owned() };
    format!(
        r#"{{"kind":{},"item":{},"at":{},"note":{}}}"#,
        given("kind", "\"longstanding\""),
        given("item", "\"saddle_sensation\""),
        given("at", &format!("\"2026-01-20T11:{:02}:{:02}Z\"", number / 60 % 60, number % 60)),
        given("note", &format!("\"known {number}\"")),
    )
}

/// Texts in quotation marks, and some whose length is what is wicked.
fn texts() -> Vec<String> {
    let long = [200, 201, 10_000, 10_001].map(|length| "x".repeat(length));
    let wide = "\u{1d11e}".repeat(200);
    let padded =
        [format!("{}a", " ".repeat(10_500)), format!("{}wide{}", "\u{2003}".repeat(300), "\u{a0}".repeat(300))];
    let all = TEXTS.iter().map(|text| (*text).to_owned()).chain(long).chain([wide]).chain(padded);
    all.map(|text| format!("\"{text}\"")).chain(["7", "null", "[]"].map(str::to_owned)).collect()
}

fn quoted(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("\"{word}\"")).collect()
}

fn given(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// A body for each value in each of the parts that take its like.
fn each(parts: &[(&str, Vec<String>)], body: fn(usize, &str, &str) -> String) -> Vec<String> {
    let all = parts.iter().flat_map(|(part, values)| values.iter().map(move |value| (*part, value)));
    all.enumerate().map(|(number, (part, value))| body(number, part, value)).collect()
}

pub(super) fn registrations() -> Vec<String> {
    let parts = [
        ("patient.id", texts()),
        ("episode.id", texts()),
        ("name", texts()),
        ("clinic", texts()),
        ("birth_date", given(DAYS)),
        ("onset_date", given(DAYS)),
        ("treatment_start", given(DAYS)),
        ("time_zone", quoted(ZONES)),
        ("sex", quoted(&["male", "Female", "f\\u0000", ""])),
        ("phone", quoted(&["+44", "+44 20 7946 0000\\u0000", "+٤٤ 20 7946 0000"])),
    ];
    each(&parts, registration)
}

pub(super) fn submissions() -> Vec<String> {
    let parts = [
        ("id", texts()),
        ("supersedes", texts()),
        ("assessed_at", given(TIMES)),
        ("value", given(NUMBERS)),
        ("left", given(NUMBERS)),
        ("residual", given(NUMBERS)),
        ("temperature", given(NUMBERS)),
        ("date", given(DAYS)),
        ("author", quoted(&["patient", "Patient", "", "p\\u0000"])),
        ("saddle", quoted(&["yes", "Yes", "y\\u0000", "unknown", "ｙｅｓ"])),
    ];
    each(&parts, submission)
}

pub(super) fn adjudications() -> Vec<String> {
    let parts = [
        ("note", texts()),
        ("at", given(TIMES)),
        ("kind", quoted(&["void", "disposition", "Void", "\\u0000"])),
        ("item", quoted(&["bowel_control", "Bowel_Control", "\\u0000"])),
    ];
    each(&parts, adjudication)
}

pub(super) fn patches() -> Vec<String> {
    let patch = |text: &String| format!(r#"{{"contact":{{"name":{text}}}}}"#);
    let others = [r#"{"a\u0000b":1}"#, r#"{"episode":null}"#, r#"{"patient":{"id":null}}"#, "{}", "[]"];
    texts().iter().map(patch).chain(given(&others)).collect()
}

/// Records, alone and beside a sound one.
pub(super) fn records() -> Vec<String> {
    let record = |number: usize, part: &str, value: &str| {
        let blocks = registration(number + 10_000, part, value);
        let visit = submission(number, part, value);
        format!(r#"{{"format":"lasegue.record/1","submissions":[{visit}],{}"#, &blocks[1..])
    };
    let parts = [("patient.id", texts()), ("id", texts()), ("assessed_at", given(TIMES)), ("birth_date", given(DAYS))];
    let all = parts.iter().flat_map(|(part, values)| values.iter().map(move |value| (*part, value))).enumerate();
    let sound = |number: usize| record(number + 1_000, "", "");
    all.map(|(number, (part, value))| format!("{}\n{}\n", record(number, part, value), sound(number))).collect()
}
