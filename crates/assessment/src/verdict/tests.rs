use lasegue_protocol::record::parse_submission;
use serde_json::{Value, json};

use super::*;

fn record(submissions: &[Value], adjudications: &[Value]) -> Record {
    Record::parse(&json!({
        "format": "lasegue.record/1",
        "patient": { "birth_date": "1980-05-01", "sex": "female" },
        "episode": { "onset_date": "2026-01-01", "treatment_start": "2026-01-05" },
        "submissions": submissions,
        "adjudications": adjudications,
    }))
    .expect("the record is sound")
}

fn saddle(id: &str, day: &str) -> Value {
    json!({
        "id": id, "assessed_at": format!("{day}T09:00:00Z"), "author": "patient",
        "cauda_equina": { "saddle_sensation": "yes" },
    })
}

fn calm(id: &str, day: &str) -> Value {
    json!({ "id": id, "assessed_at": format!("{day}T09:00:00Z"), "author": "patient", "new_weakness": "no" })
}

fn void(id: &str) -> Value {
    json!({ "kind": "void", "submission": id, "at": "2026-02-01T09:00:00Z", "by": "dr-a", "note": "wrong patient" })
}

fn assessed(record: &Record) -> Assessment {
    assess(Protocol::embedded(), record).expect("there is a submission")
}

fn keys(findings: &[Finding]) -> Vec<(&str, Status)> {
    findings.iter().map(|finding| (finding.code.as_str(), finding.status)).collect()
}

#[test]
fn an_emergency_outlives_the_withdrawal_of_every_submission() {
    let all_void = record(&[saddle("a", "2026-01-20"), calm("b", "2026-01-21")], &[void("a"), void("b")]);
    let assessment = assessed(&all_void);
    assert_eq!(keys(&assessment.findings), [("cauda-equina-emergency", Status::CorrectedPending)]);
    assert_eq!((assessment.visit.0.as_str(), assessment.next_visit.kind), ("b", VisitKind::Hold));
    assert!(is_red_flag(&assessment.findings[0]) && !assessment.findings[0].met);
}

#[test]
fn a_signature_after_the_submission_releases_it() {
    let signed = json!({ "kind": "disposition", "code": "cauda-equina-emergency", "at": "2026-01-20T10:00:00Z",
        "by": "dr-a", "note": "seen" });
    let assessment = assessed(&record(&[saddle("a", "2026-01-20")], &[void("a"), signed]));
    assert_eq!(assessment.findings, []);
    assert_eq!(assessment.next_visit.kind, VisitKind::None);
}

#[test]
fn nothing_is_made_up_where_no_submission_was_an_emergency() {
    let assessment = assessed(&record(&[calm("a", "2026-01-20")], &[void("a")]));
    assert_eq!(assessment.findings, []);
    assert_eq!(assess(Protocol::embedded(), &record(&[], &[])), None);
}

/// The protocol's own account, which needs a visit that counts: a calm one after all others adds none before them.
#[test]
fn what_is_pending_is_what_the_protocol_keeps_pending_beside_a_visit_that_counts() {
    let weak = json!({ "id": "w", "assessed_at": "2026-01-18T09:00:00Z", "author": "clinician",
        "motor": { "great_toe_extension": { "left": 2 } }, "supersedes": "a" });
    let all_void = record(&[saddle("a", "2026-01-20"), weak, saddle("c", "2026-01-19")], &[void("w"), void("c")]);
    let mut beside = all_void.clone();
    beside.submissions.push(parse_submission(&calm("z", "2026-01-30")).accept().expect("it is sound"));
    let whole = evaluate(Protocol::embedded(), &beside, None).expect("a visit counts");
    let pending = |findings: Vec<Finding>| -> Vec<_> {
        let pending = findings.into_iter().filter(|finding| finding.status == Status::CorrectedPending);
        pending.map(|finding| (finding.code, finding.side, finding.measure, finding.respond_by)).collect()
    };
    let kept = pending(whole.findings);
    assert_eq!(kept.len(), 2);
    assert_eq!(pending(assessed(&all_void).findings), kept);
}
