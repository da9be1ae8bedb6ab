use lasegue_protocol::{Protocol, evaluate};
use serde_json::{Value, json};

use super::*;
use crate::store::{from_json, to_json};

/// A record with one visit, and as many signatures of `flag` as asked.
fn record(signed: usize) -> Record {
    let signature = json!({ "kind": "disposition", "code": "flag", "side": "left", "at": "2026-01-21T10:00:00Z",
        "by": "dr-a", "note": "seen" });
    let visit = json!({ "id": "a", "assessed_at": "2026-01-21T23:30:00Z", "author": "patient" });
    let body: Value = json!({
        "format": "lasegue.record/1",
        "patient": {},
        "episode": { "onset_date": "2026-01-01", "treatment_start": "2026-01-05", "time_zone": "Europe/Berlin" },
        "submissions": [visit],
        "adjudications": vec![signature; signed],
    });
    Record::parse(&body).expect("it is sound")
}

fn finding(severity: Severity, status: Status, grounds: i64) -> Finding {
    Finding {
        code: "flag".to_owned(),
        side: Some(Side::Left),
        severity,
        status,
        qualifiers: Vec::new(),
        suppressed_by: None,
        respond_by: None,
        text: String::new(),
        action: String::new(),
        evidence: Vec::new(),
        citations: Vec::new(),
        measure: [("ground".to_owned(), grounds)].into(),
        limit: Some(Limit::Hours(24)),
        met: true,
        met_by: Vec::new(),
    }
}

fn urgent(grounds: i64) -> Finding {
    finding(Severity::Urgent, Status::Open, grounds)
}

fn assessment(findings: Vec<Finding>) -> Assessment {
    let calm = evaluate(Protocol::embedded(), &record(0), None).expect("a visit counts");
    let next_visit = NextVisit { kind: VisitKind::None, earliest: None, latest: None };
    Assessment { findings, next_visit, ..calm }
}

fn changes(old: &[Finding], new: &[Finding]) -> Vec<RuleChange> {
    let old: Vec<_> = old.iter().cloned().map(Remembered::of).collect();
    between(&old, new, &record(0), Vec::new())
}

#[test]
fn rules_that_agree_change_nothing_nor_do_those_that_see_less_of_the_same() {
    for (old, new) in [(urgent(2), urgent(2)), (urgent(2), urgent(1))] {
        assert_eq!(changes(&[old], &[new]), []);
    }
    assert_eq!(changes(&[finding(Severity::Emergency, Status::Open, 1)], &[urgent(1)]), []);
}

#[test]
fn what_the_new_rules_drop_stays_active_until_it_is_signed() {
    let changes = changes(&[urgent(2)], &[]);
    for (signed, by_submission, stays) in [(0, false, true), (0, true, true), (1, false, false)] {
        let left = unsettled(changes.clone(), &assessment(Vec::new()), &record(signed), by_submission);
        assert_eq!(!left.is_empty(), stays, "{signed} {by_submission}");
    }
    let mut result = assessment(Vec::new());
    put_back(&changes, &mut result, &record(0));
    assert_eq!(result.findings, [Finding { status: Status::ProtocolChanged, met: false, ..urgent(2) }]);
    assert_eq!(told(&changes, &result), result.findings);
    assert!(changes.iter().all(|change| !change.is_added()));
}

#[test]
fn a_dropped_finding_that_the_new_rules_see_again_is_theirs_again() {
    let changes = changes(&[urgent(2)], &[]);
    assert_eq!(unsettled(changes, &assessment(vec![urgent(1)]), &record(0), false), []);
}

#[test]
fn a_dropped_danger_plans_the_next_visit_as_it_did() {
    let day = |text: &str| Some(text.parse().expect("a date"));
    let planned = |kind, earliest, latest| NextVisit { kind, earliest, latest };
    // Half past eleven at night in London is the day after in Berlin.
    for (severity, before, after) in [
        (Severity::Emergency, planned(VisitKind::None, None, None), planned(VisitKind::Hold, None, None)),
        (Severity::Urgent, planned(VisitKind::Hold, None, None), planned(VisitKind::Hold, None, None)),
        (
            Severity::Urgent,
            planned(VisitKind::SixWeek, day("2026-02-16"), day("2026-02-23")),
            planned(VisitKind::Urgent, day("2026-01-22"), day("2026-01-23")),
        ),
        (
            Severity::Urgent,
            planned(VisitKind::Urgent, day("2026-01-22"), day("2026-01-22")),
            planned(VisitKind::Urgent, day("2026-01-22"), day("2026-01-22")),
        ),
    ] {
        let mut result = Assessment { next_visit: before, ..assessment(Vec::new()) };
        put_back(&changes(&[finding(severity, Status::New, 1)], &[]), &mut result, &record(0));
        assert_eq!(result.next_visit, after);
    }
}

#[test]
fn what_only_the_new_rules_see_pages_nobody_until_a_submission_or_a_signature() {
    let added = changes(&[], &[urgent(2)]);
    let result = assessment(vec![urgent(2)]);
    assert!(added[0].is_added());
    assert_eq!(told(&added, &result), []);
    for (signed, by_submission, waits) in [(0, false, true), (0, true, false), (1, false, false)] {
        let left = unsettled(added.clone(), &result, &record(signed), by_submission);
        assert_eq!(!left.is_empty(), waits, "{signed} {by_submission}");
    }
    assert_eq!(unsettled(added, &assessment(Vec::new()), &record(0), false), []);
}

#[test]
fn what_the_new_rules_see_as_graver_is_told_as_it_was_known() {
    for graver in [finding(Severity::Emergency, Status::Open, 1), urgent(2)] {
        let changes = changes(&[urgent(1)], std::slice::from_ref(&graver));
        assert_eq!(told(&changes, &assessment(vec![graver])), [urgent(1)]);
    }
}

#[test]
fn what_nobody_pages_about_is_no_news() {
    for calm in [finding(Severity::Urgent, Status::Persisting, 1), finding(Severity::Routine, Status::New, 1)] {
        assert_eq!(changes(&[], &[calm]), []);
    }
}

#[test]
fn a_second_change_of_the_rules_goes_on_from_what_alerting_knows() {
    let (unknown, known) = (changes(&[], &[urgent(2)]), changes(&[urgent(1)], &[urgent(2)]));
    let remembered = [Remembered::of(urgent(2))];
    for first in [&unknown, &known] {
        let graver = between(&remembered, &[urgent(3)], &record(0), first.clone());
        assert_eq!(graver, *first, "nobody was told of it yet");
    }
    assert_eq!(between(&remembered, &[], &record(0), unknown), [], "it goes as it came");
    let dropped = between(&remembered, &[], &record(0), known.clone());
    let mut result = assessment(Vec::new());
    put_back(&dropped, &mut result, &record(0));
    assert_eq!(result.findings, [Finding { status: Status::ProtocolChanged, met: false, ..urgent(1) }]);
    let back = assessment(vec![urgent(1)]);
    assert_eq!(unsettled(known, &back, &record(0), false), [], "the rules are the old ones again");
}

#[test]
fn a_change_comes_back_from_the_database_whole() {
    let changes =
        [changes(&[urgent(2)], &[]), changes(&[], &[urgent(1)]), changes(&[urgent(1)], &[urgent(2)])].concat();
    assert_eq!(from_json::<Vec<RuleChange>>(&to_json(&changes).expect("JSON")).expect("changes"), changes);
}
