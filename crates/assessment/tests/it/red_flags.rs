//! Red flags: first, complete, on the right lane, and told of when they are gone.

use lasegue_contracts::Event;
use lasegue_contracts::assessment::{AssessmentCompleted, Limit, RedFlagRaised, Severity, Status};
use lasegue_contracts::event::Lane;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{Piece, registered, saddle, submission_id};
use crate::ward::Ward;

const EPISODE: Uuid = Uuid::from_u128(7);
const CODE: &str = "cauda-equina-emergency";

fn with(submissions: &[Value]) -> Value {
    let mut record = registered();
    record["submissions"] = json!(submissions);
    record
}

fn void(name: &str) -> Piece {
    Piece::Adjudication(json!({
        "kind": "void", "submission": submission_id(name), "at": "2026-01-21T10:00:00Z", "by": "dr-a", "note": "error",
    }))
}

fn codes(event: &RedFlagRaised) -> Vec<(&str, Status)> {
    event.flags.iter().map(|flag| (flag.code.as_str(), flag.status())).collect()
}

#[tokio::test]
async fn a_red_flag_leaves_before_its_result_and_says_everything() {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Live, &with(&[saddle("a", "2026-01-21T09:00:00Z")])).await;
    assert_eq!(ward.told_in_order(EPISODE).await, [RedFlagRaised::TYPE, AssessmentCompleted::TYPE]);
    let event = ward.red_flags(EPISODE).await.remove(0);
    assert_eq!(event.submission_id, submission_id("a").to_string());
    assert_eq!(Some(event.revision), ward.get(EPISODE, "").await.1["revision"].as_u64());
    assert_eq!((event.time_zone.as_str(), event.bulk, &event.dispositions), ("Europe/London", false, &vec![]));
    let flag = &event.flags[0];
    assert_eq!((flag.code.as_str(), flag.side.as_str()), (CODE, ""));
    assert_eq!((flag.severity(), flag.status(), flag.limit()), (Severity::Emergency, Status::New, Limit::Immediate));
    assert!(flag.met_at_visit && !flag.ask && flag.respond_by.is_some());
    assert_eq!(flag.measure, [("saddle_sensation".to_owned(), 1)].into());
    let completed = ward.completed(EPISODE).await.remove(0);
    assert_eq!(completed.next_visit.expect("a plan").kind, "hold");
    assert_eq!(completed.findings[0].code, CODE);
}

#[tokio::test]
async fn a_signature_releases_the_hold_and_the_absence_is_told_once() {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Live, &with(&[saddle("a", "2026-01-21T09:00:00Z")])).await;
    ward.dispose(EPISODE, CODE, "2026-01-21T09:20:00Z").await;
    let told = ward.red_flags(EPISODE).await;
    assert_eq!(codes(&told[1]), [(CODE, Status::Persisting)]);
    let signed = &told[1].dispositions[0];
    assert_eq!((signed.code.as_str(), signed.by.as_str(), signed.note.as_str()), (CODE, "", ""));
    ward.dispose(EPISODE, CODE, "2026-01-21T09:25:00Z").await;
    assert_eq!(ward.red_flags(EPISODE).await.len(), 2);
    let kinds: Vec<_> = ward.completed(EPISODE).await.into_iter().filter_map(|event| event.next_visit).collect();
    assert_eq!(kinds.iter().map(|next| next.kind == "hold").collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test]
async fn a_submission_that_meets_what_was_signed_is_told_of_though_it_pages_nobody() {
    let ward = Ward::open().await;
    let (first, again) = (saddle("a", "2026-01-21T09:00:00Z"), saddle("b", "2026-01-21T10:00:00Z"));
    ward.tell(EPISODE, Lane::Live, &with(std::slice::from_ref(&first))).await;
    ward.dispose(EPISODE, CODE, "2026-01-21T09:20:00Z").await;
    ward.tell(EPISODE, Lane::Live, &with(&[first, again])).await;
    let told = ward.red_flags(EPISODE).await;
    assert_eq!(told.len(), 3);
    assert_eq!(codes(&told[2]), [(CODE, Status::Persisting)]);
    assert!(told[2].flags[0].met_at_visit);
    assert_eq!(told[2].submission_id, submission_id("b").to_string());
}

#[tokio::test]
async fn what_comes_later_with_an_earlier_date_is_told_as_what_met_it_last() {
    let ward = Ward::open().await;
    let (first, late) = (saddle("a", "2026-01-21T09:00:00Z"), saddle("b", "2026-01-21T08:00:00Z"));
    ward.tell(EPISODE, Lane::Live, &with(std::slice::from_ref(&first))).await;
    ward.tell(EPISODE, Lane::Live, &with(&[first, late])).await;
    let told = ward.red_flags(EPISODE).await;
    let last_met = |event: &RedFlagRaised| event.flags[0].last_met.clone().expect("a submission met it");
    for (event, met_by) in told.iter().zip(["a", "b"]) {
        assert_eq!(event.submission_id, submission_id("a").to_string());
        assert_eq!(last_met(event).submission_id, submission_id(met_by).to_string());
    }
    assert!(last_met(&told[0]).revision < last_met(&told[1]).revision);
}

#[tokio::test]
async fn it_is_told_whether_what_met_an_emergency_came_live_and_when_it_was_seen_last() {
    let ward = Ward::open().await;
    let (old, calm) = (saddle("a", "2025-12-01T09:00:00Z"), saddle("b", "2026-01-21T09:00:00Z"));
    let (mut calm, late) = (calm, saddle("c", "2026-01-21T05:00:00Z"));
    calm["cauda_equina"]["saddle_sensation"] = json!("no");
    ward.tell(EPISODE, Lane::Bulk, &with(std::slice::from_ref(&old))).await;
    ward.tell(EPISODE, Lane::Live, &with(&[old.clone(), calm.clone()])).await;
    ward.tell(EPISODE, Lane::Live, &with(&[old, calm, late])).await;
    let of = |event: &RedFlagRaised| {
        let flag = event.flags.iter().find(|flag| flag.code == CODE).expect("it latches");
        (flag.met_live, flag.met_latest_at.as_ref().expect("it was met").seconds)
    };
    let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp();
    let told: Vec<_> = ward.red_flags(EPISODE).await.iter().map(of).collect();
    let (december, late) = (at("2025-12-01T09:00:00Z"), at("2026-01-21T05:00:00Z"));
    assert_eq!(told, [(false, december), (false, december), (true, late)]);
}

#[tokio::test]
async fn a_calm_record_raises_nothing() {
    let ward = Ward::open().await;
    let asked = |item: &str| (item.to_owned(), json!("no"));
    let items = ["saddle_sensation", "starting_urine", "urine_flow_sensation", "urinary_retention", "urinary_leakage"];
    let more = ["rectal_fullness_sensation", "bowel_control", "bilateral_weakness", "sexual_dysfunction"];
    let mut visit = saddle("a", "2026-01-21T09:00:00Z");
    visit["cauda_equina"] = items.into_iter().chain(more).chain(["new_bilateral_leg_pain"]).map(asked).collect();
    visit["new_weakness"] = json!("no");
    ward.tell(EPISODE, Lane::Live, &with(&[visit])).await;
    assert_eq!(ward.told_in_order(EPISODE).await, [AssessmentCompleted::TYPE]);
}

#[tokio::test]
async fn withdrawing_the_only_submission_does_not_take_its_emergency_away() {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Live, &with(&[saddle("a", "2026-01-21T09:00:00Z")])).await;
    ward.bring(EPISODE, Lane::Live, void("a")).await;
    ward.settled().await;
    let told = ward.red_flags(EPISODE).await;
    assert_eq!(codes(&told[1]), [(CODE, Status::CorrectedPending)]);
    assert_eq!(ward.get(EPISODE, "").await.1["next_visit"]["kind"], "hold");
    ward.dispose(EPISODE, CODE, "2026-01-21T11:00:00Z").await;
    let told = ward.red_flags(EPISODE).await;
    assert_eq!(codes(&told[2]), []);
    assert_eq!(ward.get(EPISODE, "").await.1["next_visit"]["kind"], "none");
}

#[tokio::test]
async fn a_submission_that_was_voided_before_it_came_still_raises_its_emergency() {
    let ward = Ward::open().await;
    ward.bring(EPISODE, Lane::Live, void("a")).await;
    ward.tell(EPISODE, Lane::Live, &with(&[saddle("a", "2026-01-21T09:00:00Z")])).await;
    assert_eq!(codes(&ward.red_flags(EPISODE).await[0]), [(CODE, Status::CorrectedPending)]);
}

/// Subject and mark of the latest red flags.
async fn way(ward: &Ward) -> (bool, bool) {
    let (subject, event) = ward.told::<RedFlagRaised>(EPISODE).await.pop().expect("a red flag");
    (subject.contains(".bulk."), event.bulk)
}

#[tokio::test]
async fn an_old_import_travels_in_bulk_and_a_recent_one_live() {
    for (assessed_at, in_bulk) in [("2026-01-10T09:00:00Z", true), ("2026-01-20T09:00:00Z", false)] {
        let ward = Ward::open().await;
        ward.tell(EPISODE, Lane::Bulk, &with(&[saddle("a", assessed_at)])).await;
        assert_eq!(way(&ward).await, (in_bulk, true));
        let (subject, _) = ward.told::<AssessmentCompleted>(EPISODE).await.remove(0);
        assert!(subject.contains(".bulk."), "the result itself never leaves the lane");
    }
}

#[tokio::test]
async fn an_import_is_told_as_one_until_a_submission_comes_live_and_never_after() {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Bulk, &with(&[saddle("a", "2026-01-10T09:00:00Z")])).await;
    ward.dispose(EPISODE, "another-finding", "2026-01-21T09:00:00Z").await;
    assert_eq!(way(&ward).await, (false, true));
    ward.bring(EPISODE, Lane::Live, Piece::Submission(saddle("b", "2026-01-21T09:00:00Z"))).await;
    ward.settled().await;
    assert_eq!(way(&ward).await, (false, false));
    ward.bring(EPISODE, Lane::Bulk, Piece::Submission(saddle("c", "2026-01-09T09:00:00Z"))).await;
    ward.settled().await;
    assert_eq!(way(&ward).await, (false, false));
}
