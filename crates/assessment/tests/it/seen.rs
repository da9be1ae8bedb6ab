//! A signature covers nothing that its signer could not have seen, in whatever order things arrive.

use chrono::TimeDelta;
use lasegue_contracts::alerting::FindingDisposed;
use lasegue_contracts::assessment::{RedFlagRaised, Status};
use lasegue_contracts::event::Lane;
use lasegue_contracts::intake::AdjudicationRecorded;
use lasegue_platform::clock::Clock;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{Piece, disposed, registered, saddle, submission_id};
use crate::ward::Ward;
use crate::wire;

const EPISODE: Uuid = Uuid::from_u128(7);
const CODE: &str = "cauda-equina-emergency";
const FIRST: &str = "2026-01-21T09:00:00Z";
/// After the first visit and what else was assessed before it came in, before anything of later.
const SIGNED: &str = "2026-01-21T09:20:00Z";

/// A visit with a ground more than the first one has.
fn worse(name: &str, assessed_at: &str) -> Value {
    let mut visit = saddle(name, assessed_at);
    visit["cauda_equina"]["urinary_retention"] = json!("yes");
    visit
}

/// A ward that knows an episode with one emergency, and the revision at which it was told of.
async fn ward_with_an_emergency() -> (Ward, u64) {
    let ward = Ward::open().await;
    let mut record = registered();
    record["submissions"] = json!([saddle("a", FIRST)]);
    ward.tell(EPISODE, Lane::Live, &record).await;
    let shown = last(&ward).await.revision;
    (ward, shown)
}

fn signed(seen_revision: u64) -> FindingDisposed {
    FindingDisposed { seen_revision: Some(seen_revision), ..disposed(EPISODE, CODE, SIGNED) }
}

async fn last(ward: &Ward) -> RedFlagRaised {
    ward.red_flags(EPISODE).await.into_iter().max_by_key(|event| event.revision).expect("something was told")
}

/// Where the emergency stands, whether retention is among what it is told of, and how often it was signed.
async fn told(ward: &Ward) -> (Status, bool, usize) {
    let event = last(ward).await;
    let flag = event.flags.first().expect("the finding is told of");
    (flag.status(), flag.measure.contains_key("urinary_retention"), event.dispositions.len())
}

async fn submit(ward: &Ward, visit: Value) {
    ward.bring(EPISODE, Lane::Live, Piece::Submission(visit)).await;
}

#[tokio::test]
async fn a_signature_covers_what_its_signer_was_shown() {
    let (ward, shown) = ward_with_an_emergency().await;
    ward.send(Lane::Live, signed(shown)).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::Persisting, false, 1));
    submit(&ward, saddle("again", "2026-01-21T09:10:00Z")).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::Persisting, false, 1), "the same again, late, is no worse");
}

#[tokio::test]
async fn a_worse_report_that_came_in_before_the_signature_and_was_assessed_after_it_is_not_covered() {
    for report_first in [true, false] {
        let (ward, shown) = ward_with_an_emergency().await;
        let (report, signature) = (worse("b", "2026-01-21T09:19:59Z"), signed(shown));
        if report_first {
            submit(&ward, report).await;
            ward.settled().await;
            ward.send(Lane::Live, signature).await;
        } else {
            ward.send(Lane::Live, signature).await;
            ward.settled().await;
            submit(&ward, report).await;
        }
        ward.settled().await;
        assert_eq!(told(&ward).await, (Status::Worse, true, 1), "report first: {report_first}");
        let now = last(&ward).await.revision;
        ward.send(Lane::Live, signed(now)).await;
        ward.settled().await;
        assert_eq!(told(&ward).await, (Status::Persisting, true, 2), "signed anew, having seen it");
    }
}

#[tokio::test]
async fn a_worse_report_that_comes_late_by_import_is_not_covered() {
    let (ward, shown) = ward_with_an_emergency().await;
    ward.send(Lane::Live, signed(shown)).await;
    ward.settled().await;
    ward.bring(EPISODE, Lane::Bulk, Piece::Submission(worse("b", "2026-01-21T08:00:00Z"))).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::Worse, true, 1));
}

/// A signature that came in now by the API, beside no alert.
fn posted(ward: &Ward) -> AdjudicationRecorded {
    let now = ward.clock.now();
    let body = json!({ "kind": "disposition", "code": CODE, "at": now.to_rfc3339(), "received_at": now.to_rfc3339(),
        "by": "dr-a", "note": "seen" });
    let id = submission_id(&body.to_string()).to_string();
    let seen_revision = u64::try_from(now.timestamp_millis() - 1).ok();
    AdjudicationRecorded { seen_revision, ..wire::adjudication(EPISODE.to_string(), id, &body) }
}

#[tokio::test]
async fn a_signature_of_no_alert_covers_what_was_assessed_before_it_came_in() {
    let (ward, _) = ward_with_an_emergency().await;
    let early = posted(&ward);
    ward.clock.advance(TimeDelta::seconds(1).to_std().expect("it is positive"));
    submit(&ward, worse("b", "2026-01-21T09:25:00Z")).await;
    ward.settled().await;
    ward.send(Lane::Live, early).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::Worse, true, 1));
    ward.clock.advance(TimeDelta::seconds(1).to_std().expect("it is positive"));
    ward.send(Lane::Live, posted(&ward)).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::Persisting, true, 2));
}

#[tokio::test]
async fn the_first_report_of_an_emergency_is_not_covered_by_a_signature_that_waits_with_it() {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Live, &registered()).await;
    let ahead = AdjudicationRecorded { seen_revision: Some(u64::MAX >> 1), ..posted(&ward) };
    ward.send(Lane::Live, ahead).await;
    ward.settled().await;
    submit(&ward, saddle("a", FIRST)).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::New, false, 1), "a clock that is ahead lets nobody see what is not there");
}

#[tokio::test]
async fn a_correction_of_what_the_signer_has_not_seen_still_wants_a_signature() {
    let (ward, shown) = ward_with_an_emergency().await;
    submit(&ward, worse("b", "2026-01-21T09:19:59Z")).await;
    let void = |name: &str| {
        let id = submission_id(name);
        json!({ "kind": "void", "submission": id, "at": "2026-01-21T09:25:00Z", "by": "dr-a", "note": "error" })
    };
    ward.bring(EPISODE, Lane::Live, Piece::Adjudication(void("a"))).await;
    ward.bring(EPISODE, Lane::Live, Piece::Adjudication(void("b"))).await;
    ward.send(Lane::Live, signed(shown)).await;
    ward.settled().await;
    assert_eq!(told(&ward).await, (Status::CorrectedPending, true, 1));
}

#[derive(Clone, Debug)]
enum Arrival {
    Report(Value),
    Signature,
}

/// Reports that the signer has not seen, some of them twice, and the signature, twice, in any order.
fn arrivals() -> Vec<Vec<Arrival>> {
    let reports = [
        worse("b", "2026-01-21T09:19:59Z"),
        saddle("c", "2026-01-21T09:10:00Z"),
        worse("d", "2026-01-20T09:00:00Z"),
        saddle("e", "2026-01-21T09:25:00Z"),
    ];
    let mut all: Vec<_> = reports.into_iter().map(Arrival::Report).collect();
    all.extend([all[0].clone(), all[2].clone(), Arrival::Signature]);
    let (mut runner, shuffled) = (TestRunner::deterministic(), Just(all).prop_shuffle());
    (0..12).map(|_| shuffled.new_tree(&mut runner).expect("it makes one").current()).collect()
}

#[tokio::test]
async fn whatever_comes_in_after_the_signer_looked_ends_alike_in_every_order() {
    for (number, arrival) in arrivals().into_iter().enumerate() {
        let (ward, shown) = ward_with_an_emergency().await;
        for one in arrival.clone() {
            match one {
                Arrival::Report(visit) => submit(&ward, visit).await,
                Arrival::Signature => ward.send(Lane::Live, signed(shown)).await,
            }
            // One by one, or together as far as they wait for each other.
            if number % 2 == 0 {
                ward.settled().await;
            }
        }
        ward.settled().await;
        assert_eq!(told(&ward).await, (Status::Open, true, 1), "{arrival:?}");
    }
}
