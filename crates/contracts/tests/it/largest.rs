//! The largest of every event, by what its sender accepts. Each must fit: an event that a transport refuses helps nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;

use lasegue_contracts::event::{self, MAX_BYTES};
use lasegue_contracts::intake::adjudication_recorded::Decision;
use lasegue_contracts::{Event, alerting, assessment, intake, platform, scheduling};
use prost::Message as _;

use crate::examples::{at, episode, patient, submission};

/// A word of a closed list, a unit, a site, a ground.
const WORD: usize = 64;
/// A finding's code, as the protocol's loader bounds it.
const CODE: usize = 100;
/// A name, a token's subject or a foreign id: 200 characters.
const NAME: usize = 4 * 200;
/// A clinician's note: 10,000 characters.
const NOTE: usize = 4 * 10_000;
/// A dead letter's reason, bounded where it is written.
const REASON: usize = 4 * 1_000;
/// Entries of a list in a report.
const LISTED: usize = 100;
/// Pieces of an imported record in one event, unless one is larger by itself.
const IMPORTED: usize = 256 << 10;
/// Treatments of an episode, and as many pictures.
const ENTRIES: usize = 1_000;
/// Adjudications of an episode that assessment keeps.
const ADJUDICATIONS: usize = 2_000;
/// Findings of a protocol on both sides, and those among them that page.
const FINDINGS: usize = 400;
const FLAGS: usize = 100;
/// Grounds of one finding.
const GROUNDS: usize = 40;

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn id() -> String {
    text(36)
}

fn many<T: Clone>(one: T, count: usize) -> Vec<T> {
    repeat_n(one, count).collect()
}

/// `count` entries under names of their own.
fn named<T: Clone>(one: T, count: usize) -> BTreeMap<String, T> {
    (0..count).map(|number| (format!("{number:0>WORD$}"), one.clone())).collect()
}

#[test]
fn the_largest_of_every_event_fits() {
    let largest: Vec<_> = [of_intake(), of_assessment(), of_scheduling(), of_alerting(), of_the_platform()].concat();
    for (name, bytes) in &largest {
        assert!(*bytes <= MAX_BYTES, "{name} can have {bytes} bytes");
    }
    let names: BTreeSet<_> = largest.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, event::NAMES.iter().map(|(_, name)| *name).collect());
}

fn size<E: Event>(event: &E) -> (&'static str, usize) {
    (E::NAME, event.encoded_len())
}

fn of_intake() -> Vec<(&'static str, usize)> {
    let intake::Episode { treatments, imaging, .. } = episode();
    let treatment =
        intake::Treatment { kind: text(WORD), change: text(WORD), outcome: Some(text(WORD)), ..treatments[0].clone() };
    let picture =
        intake::Imaging { modality: text(WORD), region: text(WORD), lesion: Some(text(WORD)), ..imaging[0].clone() };
    let episode = intake::Episode {
        time_zone: text(WORD),
        treatments: many(treatment, ENTRIES),
        imaging: many(picture, ENTRIES),
        ..episode()
    };
    let (patient, episode) = (Some(patient()), Some(episode));
    let disposition = intake::Disposition { code: text(NAME), side: text(WORD) };
    vec![
        size(&intake::EpisodeRegistered {
            episode_id: id(),
            version: u64::MAX,
            patient: patient.clone(),
            episode: episode.clone(),
        }),
        size(&intake::EpisodeUpdated { episode_id: id(), version: u64::MAX, patient, episode }),
        size(&intake::SubmissionAccepted { episode_id: id(), submission: Some(report()) }),
        size(&intake::RecordImported {
            episode_id: id(),
            submissions: many(report(), 1 + IMPORTED / report().encoded_len()),
            ..intake::RecordImported::default()
        }),
        size(&intake::AdjudicationRecorded {
            episode_id: id(),
            adjudication_id: id(),
            at: at(0),
            by: text(NAME),
            note: text(NOTE),
            decision: Some(Decision::Disposition(disposition)),
            received_at: at(0),
            seen_revision: Some(u64::MAX),
        }),
        size(&intake::SubmissionRefused {
            episode_id: id(),
            refusal_id: id(),
            received_at: at(0),
            reason: i32::MAX,
            sender_id: id(),
            sent_to_episode_id: id(),
        }),
        size(&intake::RefusalCorrected { episode_id: id(), refusal_id: id(), corrected_at: at(0) }),
    ]
}

fn report() -> intake::Submission {
    let base = submission();
    let words = || Some(intake::Words { words: many(text(WORD), LISTED) });
    let grades = || named(intake::Grades { left: Some(u32::MAX), right: Some(u32::MAX) }, LISTED);
    let reported = intake::Reported { single: i32::MAX, patient: i32::MAX, clinician: i32::MAX };
    intake::Submission {
        pain: base.pain.map(|pain| intake::Pain {
            dermatomes: words(),
            quality: words(),
            temporal: Some(text(WORD)),
            ..pain
        }),
        motor: grades(),
        motor_longstanding: many(text(WORD), LISTED),
        reflexes: grades(),
        sensation: Some(intake::Sensation { left: named(u32::MAX, LISTED), right: named(u32::MAX, LISTED) }),
        cauda_equina: Some(intake::CaudaEquina {
            items: named(reported, LISTED),
            post_void_residual_ml: Some(u32::MAX),
        }),
        work: Some(intake::Work { status: Some(text(WORD)), activity: Some(text(WORD)) }),
        serious: base.serious.map(|serious| intake::Serious { temperature_c: Some(text(NAME)), ..serious }),
        ..base
    }
}

fn of_assessment() -> Vec<(&'static str, usize)> {
    let protocol = || Some(assessment::Protocol { id: text(NAME), version: text(NAME), sha256: text(WORD) });
    let flag = assessment::RedFlag {
        code: text(CODE),
        side: text(WORD),
        severity: i32::MAX,
        status: i32::MAX,
        limit: i32::MAX,
        respond_by: at(0),
        measure: named(i64::MAX, GROUNDS),
        met_at_visit: true,
        ask: true,
        last_met: Some(assessment::Meeting { submission_id: id(), received_at: at(0), revision: u64::MAX }),
        met_live: true,
        met_latest_at: at(0),
    };
    let side = "right".to_owned();
    let signed = assessment::SignedDisposition { code: text(CODE), side, at: at(0), ..Default::default() };
    let summary =
        assessment::FindingSummary { code: text(CODE), side: text(WORD), severity: i32::MAX, status: i32::MAX };
    vec![
        size(&assessment::RedFlagRaised {
            episode_id: id(),
            revision: u64::MAX,
            submission_id: id(),
            assessed_at: at(0),
            received_at: at(0),
            time_zone: text(WORD),
            bulk: true,
            protocol: protocol(),
            flags: many(flag, FLAGS),
            dispositions: many(signed, ADJUDICATIONS),
        }),
        size(&assessment::AssessmentCompleted {
            episode_id: id(),
            revision: u64::MAX,
            submission_id: id(),
            assessed_at: at(0),
            time_zone: text(WORD),
            protocol: protocol(),
            next_visit: Some(assessment::NextVisit {
                kind: text(WORD),
                earliest: Some(text(WORD)),
                latest: Some(text(WORD)),
            }),
            findings: many(summary, FINDINGS),
        }),
    ]
}

fn of_scheduling() -> Vec<(&'static str, usize)> {
    let (revision, kind) = (u64::MAX, || text(WORD));
    let (earliest, latest) = (Some(text(WORD)), Some(text(WORD)));
    vec![
        size(&scheduling::VisitPlanned { episode_id: id(), revision, kind: kind(), earliest, latest }),
        size(&scheduling::VisitDue { episode_id: id(), revision, kind: kind(), at: at(0) }),
        size(&scheduling::VisitOverdue { episode_id: id(), revision, kind: kind(), at: at(0) }),
    ]
}

fn of_alerting() -> Vec<(&'static str, usize)> {
    let (episode_id, alert_id, page_id) = (id, id, id);
    let (channel, attempts) = (|| text(NAME), u32::MAX);
    vec![
        size(&alerting::AlertOpened {
            episode_id: episode_id(),
            alert_id: alert_id(),
            revision: u64::MAX,
            urgency: text(WORD),
            at: at(0),
        }),
        size(&alerting::AlertAccepted { episode_id: episode_id(), alert_id: alert_id(), by: text(NAME), at: at(0) }),
        size(&alerting::AlertEscalated {
            episode_id: episode_id(),
            alert_id: alert_id(),
            step: u32::MAX,
            round: u32::MAX,
            at: at(0),
        }),
        size(&alerting::PageDelivered {
            episode_id: episode_id(),
            page_id: page_id(),
            channel: channel(),
            attempts,
            at: at(0),
        }),
        size(&alerting::PageFailed {
            episode_id: episode_id(),
            page_id: page_id(),
            channel: channel(),
            attempts,
            at: at(0),
            cause: text(WORD),
        }),
        size(&alerting::FindingDisposed {
            episode_id: episode_id(),
            alert_id: alert_id(),
            code: text(NAME),
            side: text(WORD),
            at: at(0),
            by: text(NAME),
            note: text(NOTE),
            seen_revision: Some(u64::MAX),
        }),
    ]
}

fn of_the_platform() -> Vec<(&'static str, usize)> {
    vec![
        size(&platform::MessageDeadLettered {
            episode_id: id(),
            dead_letter_id: id(),
            consumer: text(WORD),
            subject: text(REASON),
            event_type: text(REASON),
            reason: text(REASON),
            at: at(0),
            event_id: id(),
            tries: u32::MAX,
        }),
        size(&platform::EventsHeldUp {
            episode_id: id(),
            service: text(WORD),
            since: at(0),
            at: at(0),
            nothing_stored: true,
            damaged: true,
        }),
    ]
}
