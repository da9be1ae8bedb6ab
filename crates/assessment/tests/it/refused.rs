//! What can never be handled is set aside with its reason, harms nothing, and is never dropped.

use lasegue_contracts::Event;
use lasegue_contracts::event::Lane;
use lasegue_contracts::intake::{Grades, Odi, OdiItem, Pain, Serious, Submission, SubmissionAccepted, Trauma};
use lasegue_contracts::platform::MessageDeadLettered;
use serde_json::json;
use uuid::Uuid;

use crate::records::{Piece, case, pieces, registered, saddle};
use crate::ward::Ward;
use crate::wire;

const EPISODE: Uuid = Uuid::from_u128(9);

fn accepted(submission: Submission) -> SubmissionAccepted {
    SubmissionAccepted { episode_id: EPISODE.to_string(), submission: Some(submission) }
}

fn sound() -> Submission {
    wire::submission(&saddle("a", "2026-01-21T09:00:00Z"))
}

#[tokio::test]
async fn a_value_that_no_record_may_hold_is_named_and_harms_nothing() {
    let pain = Pain { temporal: Some("sometimes".to_owned()), ..Pain::default() };
    let trauma = Trauma { date: Some("2026-02-30".to_owned()), ..Trauma::default() };
    let odi = Odi { items: vec![OdiItem { score: Some(1) }; 9] };
    let hot = Serious { temperature_c: Some("hot".to_owned()), ..Serious::default() };
    let grades = Grades { left: Some(6), right: None };
    for (broken, named) in [
        (Submission { pain: Some(pain), ..sound() }, "/pain/temporal"),
        (Submission { trauma: Some(trauma), ..sound() }, "/trauma/date"),
        (Submission { odi: Some(odi), ..sound() }, "/odi"),
        (Submission { serious: Some(hot), ..sound() }, "serious.temperature_c"),
        (Submission { motor: [("knee_extension".to_owned(), grades)].into(), ..sound() }, "/motor/knee_extension/left"),
        (Submission { motor: [("wriggling".to_owned(), grades)].into(), ..sound() }, "/motor/wriggling"),
        (Submission { author: 0, ..sound() }, "submission.author"),
        (Submission { new_weakness: 9, ..sound() }, "submission.new_weakness"),
        (Submission { assessed_at: None, ..sound() }, "submission.assessed_at"),
        (Submission { id: "visit-1".to_owned(), ..sound() }, "submission.id"),
    ] {
        let ward = Ward::open().await;
        ward.bring(EPISODE, Lane::Live, pieces(&registered()).remove(0)).await;
        ward.send(Lane::Live, accepted(broken)).await;
        ward.settled().await;
        let reasons = ward.set_aside().await;
        assert!(reasons.len() == 1 && reasons[0].contains(named), "{reasons:?} where {named} is expected");
        assert_eq!(ward.told_in_order(EPISODE).await, [MessageDeadLettered::TYPE]);
        ward.send(Lane::Live, accepted(sound())).await;
        ward.settled().await;
        assert_eq!(ward.red_flags(EPISODE).await.len(), 1);
    }
}

#[tokio::test]
async fn other_content_under_a_known_id_is_set_aside_and_the_first_stays() {
    let ward = Ward::open().await;
    let record = case("06d-emergency-latches");
    ward.tell(EPISODE, Lane::Live, &record).await;
    let before = (ward.get(EPISODE, "").await, ward.pieces(EPISODE).await);
    let mut other = record["submissions"][0].clone();
    other["new_weakness"] = json!("unknown");
    other["pain"] = json!({ "leg": { "scale": "vas", "value": 1 } });
    ward.bring(EPISODE, Lane::Live, Piece::Submission(other)).await;
    ward.settled().await;
    assert!(ward.set_aside().await[0].contains("another submission with the id"));
    assert_eq!((ward.get(EPISODE, "").await, ward.pieces(EPISODE).await), before);
}
