//! How long a refused body is read for danger, by what it is made of.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lasegue_protocol::feared::feared;
use serde_json::{Map, Value, json};

/// As many different names of 116 bytes as 28 MiB hold.
fn names(begin: &str) -> Value {
    let name = |index: usize| format!("{begin}{}{index:06}", "x".repeat(110 - begin.len()));
    (0..240_000).map(|index| (name(index), json!(1))).collect::<Map<_, _>>().into()
}

/// Long answers to fields that are known.
fn answers() -> Value {
    let answer = |index: usize| json!({ "saddle_sensation": format!("{index} {}", "no, ".repeat(9_000)) });
    (0..800).map(answer).collect()
}

/// As many texts as a submission holds, each of them an answer to every question of its object.
fn answers_to_all() -> Value {
    let names = ["saddle_sensation", "bowel_control", "urinary_retention", "fever", "iv_drug_use", "knee_extension"];
    let mut form: Map<_, _> = names.iter().enumerate().map(|(at, name)| (format!("q{at}"), json!(name))).collect();
    form.extend((0..26).map(|at| (format!("a{at}"), json!("no, ".repeat(9_990)))));
    form.into()
}

fn visit() -> Value {
    json!({
        "id": "v1", "author": "patient", "assessed_at": "2026-01-21T08:00:00Z", "pain": { "leg": { "scale": "vas", "valeu": 40 } },
        "cauda_equina": { "saddle_sensation": "no", "bowel_control": "no", "post_void_residual_ml": 60 },
        "motor": { "knee_extension": { "left": 5, "right": 5 } }, "serious": { "fever": "no", "temperature_c": 36.8 },
    })
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading for danger");
    group.sample_size(10);
    for (name, body) in [
        ("a calm visit", visit()),
        ("240,000 names of 116 bytes", names("")),
        ("240,000 names of 116 bytes that begin in Cyrillic", names("\u{438}\u{43c}\u{44f}")),
        ("800 answers of 36,000 bytes", answers()),
        ("26 texts of 40,000 bytes that answer six questions each", answers_to_all()),
    ] {
        group.bench_function(name, |bench| bench.iter(|| feared(black_box(&body))));
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
