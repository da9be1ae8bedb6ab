//! One example of every event, with every field set.

use std::collections::BTreeMap;

use lasegue_contracts::intake::adjudication_recorded::Decision;
use lasegue_contracts::{Event, alerting, assessment, intake, platform, scheduling};
use prost_types::Timestamp;

const EPISODE: &str = "01980000-0000-7000-8000-000000000001";
const OTHER: &str = "01980000-0000-7000-8000-000000000002";

/// An event's name, with what it is an example of where there are several, its bytes, and the bytes after decoding and encoding them again.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) again: Vec<u8>,
}

fn example<E: Event>(event: &E) -> Example {
    let bytes = event.encode_to_vec();
    let again = E::decode(bytes.as_slice()).expect("an event decodes its own bytes").encode_to_vec();
    assert!(!event.episode_id().is_empty());
    Example { name: E::NAME, bytes, again }
}

/// The examples of all events.
pub(crate) fn all() -> Vec<Example> {
    [intake_examples(), assessment_examples(), scheduling_examples(), alerting_examples(), platform_examples()]
        .into_iter()
        .flatten()
        .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "every field of this type is optional on the wire")]
pub(crate) fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_768_986_000 + seconds, nanos: 123_456_000 })
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn intake_examples() -> Vec<Example> {
    let blocks = || (Some(patient()), Some(episode()));
    let ((patient, episode), (patient_after, episode_after)) = (blocks(), blocks());
    vec![
        example(&intake::EpisodeRegistered { episode_id: text(EPISODE), version: 1, patient, episode }),
        example(&intake::EpisodeUpdated {
            episode_id: text(EPISODE),
            version: 2,
            patient: patient_after,
            episode: episode_after,
        }),
        example(&intake::SubmissionAccepted { episode_id: text(EPISODE), submission: Some(submission()) }),
        example(&adjudication()),
        Example {
            name: "adjudication-recorded.received",
            ..example(&intake::AdjudicationRecorded { received_at: at(5), ..adjudication() })
        },
        Example {
            name: "adjudication-recorded.seen",
            ..example(&intake::AdjudicationRecorded { seen_revision: Some(1_768_986_000_123), ..adjudication() })
        },
        example(&intake::RecordImported {
            episode_id: text(EPISODE),
            version: 2,
            patient: Some(self::patient()),
            episode: Some(self::episode()),
            adjudications: vec![adjudication()],
            submissions: vec![submission()],
        }),
        example(&intake::SubmissionRefused {
            episode_id: text(EPISODE),
            refusal_id: text(OTHER),
            received_at: at(0),
            reason: intake::RefusalReason::DangerSign.into(),
            sender_id: String::new(),
            sent_to_episode_id: String::new(),
        }),
        example(&intake::RefusalCorrected { episode_id: text(EPISODE), refusal_id: text(OTHER), corrected_at: at(60) }),
    ]
}

fn adjudication() -> intake::AdjudicationRecorded {
    intake::AdjudicationRecorded {
        episode_id: text(EPISODE),
        adjudication_id: text(OTHER),
        at: at(0),
        by: text("dr-a"),
        note: text("seen"),
        decision: Some(Decision::Disposition(intake::Disposition {
            code: text("motor-deficit-severe"),
            side: text("right"),
        })),
        received_at: None,
        seen_revision: None,
    }
}

pub(crate) fn patient() -> intake::Patient {
    intake::Patient { birth_date: Some(text("1980-06-15")), sex: intake::Sex::Female.into() }
}

pub(crate) fn episode() -> intake::Episode {
    let (yes, no, unknown) = (intake::Answer::Yes.into(), intake::Answer::No.into(), intake::Answer::Unknown.into());
    intake::Episode {
        onset_date: text("2025-12-18"),
        treatment_start: text("2026-01-01"),
        time_zone: text("Europe/London"),
        workers_compensation: no,
        prior_low_back_pain: yes,
        candidate_surgery: unknown,
        candidate_epidural: yes,
        plexus_uncertain: no,
        pregnant: no,
        conservative_failed: unknown,
        treatments: vec![intake::Treatment {
            date: text("2026-01-01"),
            kind: text("physiotherapy"),
            change: text("start"),
            outcome: Some(text("helped")),
        }],
        imaging: vec![intake::Imaging {
            date: text("2026-01-10"),
            modality: text("mri"),
            region: text("lumbar"),
            lesion: Some(text("contained")),
            root: Some(text("R-L5")),
            concordant: yes,
        }],
    }
}

pub(crate) fn submission() -> intake::Submission {
    let (yes, no, unknown) = (intake::Answer::Yes.into(), intake::Answer::No.into(), intake::Answer::Unknown.into());
    let grades = |name: &str, left, right| {
        BTreeMap::from([(text(name), intake::Grades { left: Some(left), right: Some(right) })])
    };
    intake::Submission {
        id: text(OTHER),
        assessed_at: at(0),
        received_at: at(30),
        author: intake::Author::Clinician.into(),
        supersedes: Some(text(EPISODE)),
        pain: Some(intake::Pain {
            leg: Some(intake::Score { scale: text("vas"), value: 60 }),
            back: Some(intake::Score { scale: text("nrs"), value: 3 }),
            dermatomes: Some(intake::Words { words: vec![text("R-L5")] }),
            quality: Some(intake::Words { words: vec![text("burning")] }),
            temporal: Some(text("constant")),
            below_knee: Some(intake::AnswerBySide { left: no, right: yes }),
            dn4_interview: Some(4),
        }),
        motor: grades("great_toe_extension", 5, 3),
        motor_longstanding: vec![text("left.great_toe_extension")],
        new_weakness: yes,
        reflexes: grades("ankle", 2, 1),
        sensation: Some(intake::Sensation {
            left: BTreeMap::from([(text("L5"), 0)]),
            right: BTreeMap::from([(text("L5"), 1)]),
        }),
        straight_leg_raise: Some(intake::StraightLegRaise {
            left: Some(intake::LegRaise { leg_pain: no, angle_deg: Some(80), crossed: no }),
            right: Some(intake::LegRaise { leg_pain: yes, angle_deg: Some(55), crossed: no }),
        }),
        cauda_equina: Some(intake::CaudaEquina {
            items: BTreeMap::from([
                (text("bowel_control"), intake::Reported { single: no, patient: 0, clinician: 0 }),
                (text("saddle_sensation"), intake::Reported { single: 0, patient: yes, clinician: no }),
            ]),
            post_void_residual_ml: Some(120),
        }),
        odi: Some(intake::Odi {
            items: (0..10).map(|item| intake::OdiItem { score: (item != 9).then_some(item % 6) }).collect(),
        }),
        work: Some(intake::Work { status: Some(text("modified")), activity: Some(text("light")) }),
        walking: Some(intake::Walking {
            minutes: Some(60),
            worse_walking: yes,
            worse_standing: no,
            relief_sitting: yes,
            relief_flexion: unknown,
            relief_standing_still: no,
        }),
        serious: Some(intake::Serious {
            cancer_history: no,
            fever: unknown,
            iv_drug_use: no,
            immunosuppressed: no,
            recent_infection_or_procedure: no,
            weight_loss: no,
            night_pain: yes,
            anticoagulant: unknown,
            steroid: no,
            osteoporosis: no,
            temperature_c: Some(text("37.900000")),
        }),
        trauma: Some(intake::Trauma {
            occurred: yes,
            date: Some(text("2026-01-15")),
            high_energy: no,
            fracture_suspected: unknown,
        }),
    }
}

fn protocol() -> assessment::Protocol {
    assessment::Protocol { id: text("lumbosacral-radiculopathy"), version: text("1.0.0"), sha256: text("00ff") }
}

fn raised(last_met: Option<assessment::Meeting>) -> assessment::RedFlagRaised {
    let (emergency, worse) = (assessment::Severity::Emergency.into(), assessment::Status::Worse.into());
    assessment::RedFlagRaised {
        episode_id: text(EPISODE),
        revision: 7,
        submission_id: text(OTHER),
        assessed_at: at(0),
        received_at: at(30),
        time_zone: text("Europe/London"),
        bulk: true,
        protocol: Some(protocol()),
        flags: vec![assessment::RedFlag {
            code: text("motor-deficit-severe"),
            side: text("right"),
            severity: emergency,
            status: worse,
            limit: assessment::Limit::Immediate.into(),
            respond_by: at(0),
            measure: BTreeMap::from([(text("great_toe_extension"), 2)]),
            met_at_visit: true,
            ask: true,
            met_live: last_met.is_some(),
            met_latest_at: last_met.as_ref().and(at(0)),
            last_met,
        }],
        dispositions: vec![assessment::SignedDisposition {
            code: text("motor-deficit-severe"),
            side: text("right"),
            at: at(-60),
            by: text("dr-a"),
            note: text("seen"),
        }],
    }
}

fn assessment_examples() -> Vec<Example> {
    let (emergency, worse) = (assessment::Severity::Emergency.into(), assessment::Status::Worse.into());
    vec![
        example(&raised(None)),
        Example {
            name: "red-flag-raised.last-met",
            ..example(&raised(Some(assessment::Meeting {
                submission_id: text(OTHER),
                received_at: at(30),
                revision: 7,
            })))
        },
        example(&assessment::AssessmentCompleted {
            episode_id: text(EPISODE),
            revision: 7,
            submission_id: text(OTHER),
            assessed_at: at(0),
            time_zone: text("Europe/London"),
            protocol: Some(protocol()),
            next_visit: Some(assessment::NextVisit {
                kind: text("six-week"),
                earliest: Some(text("2026-02-12")),
                latest: Some(text("2026-02-19")),
            }),
            findings: vec![assessment::FindingSummary {
                code: text("motor-deficit-severe"),
                side: text("right"),
                severity: emergency,
                status: worse,
            }],
        }),
    ]
}

fn scheduling_examples() -> Vec<Example> {
    let (episode_id, revision, kind) = (|| text(EPISODE), 7, || text("six-week"));
    vec![
        example(&scheduling::VisitPlanned {
            episode_id: episode_id(),
            revision,
            kind: kind(),
            earliest: Some(text("2026-02-12")),
            latest: Some(text("2026-02-19")),
        }),
        example(&scheduling::VisitDue { episode_id: episode_id(), revision, kind: kind(), at: at(0) }),
        example(&scheduling::VisitOverdue { episode_id: episode_id(), revision, kind: kind(), at: at(0) }),
    ]
}

fn alerting_examples() -> Vec<Example> {
    let (episode_id, alert_id) = (|| text(EPISODE), || text(OTHER));
    vec![
        example(&alerting::AlertOpened {
            episode_id: episode_id(),
            alert_id: alert_id(),
            revision: 7,
            urgency: text("emergency"),
            at: at(0),
        }),
        example(&alerting::AlertAccepted {
            episode_id: episode_id(),
            alert_id: alert_id(),
            by: text("dr-a"),
            at: at(0),
        }),
        example(&alerting::AlertEscalated {
            episode_id: episode_id(),
            alert_id: alert_id(),
            step: 2,
            round: 1,
            at: at(0),
        }),
        example(&alerting::PageDelivered {
            episode_id: episode_id(),
            page_id: alert_id(),
            channel: text("webhook"),
            attempts: 1,
            at: at(0),
        }),
        example(&alerting::PageFailed {
            episode_id: episode_id(),
            page_id: alert_id(),
            channel: text("webhook"),
            attempts: 3,
            at: at(0),
            cause: text("timeout"),
        }),
        example(&disposed()),
        Example {
            name: "finding-disposed.seen",
            ..example(&alerting::FindingDisposed { seen_revision: Some(1_768_986_000_123), ..disposed() })
        },
    ]
}

fn disposed() -> alerting::FindingDisposed {
    alerting::FindingDisposed {
        episode_id: text(EPISODE),
        alert_id: text(OTHER),
        code: text("motor-deficit-severe"),
        side: text("right"),
        at: at(0),
        by: text("dr-a"),
        note: text("seen"),
        seen_revision: None,
    }
}

fn platform_examples() -> Vec<Example> {
    let set_aside = platform::MessageDeadLettered {
        episode_id: text(EPISODE),
        dead_letter_id: text(OTHER),
        consumer: text("alerting-red-flags"),
        subject: format!("lasegue.assessment.v1.red-flag-raised.{EPISODE}"),
        event_type: text("lasegue.assessment.v1.RedFlagRaised"),
        reason: text("the payload cannot be decoded"),
        at: at(0),
        event_id: String::new(),
        tries: 0,
    };
    let failing = platform::MessageDeadLettered { event_id: text(OTHER), tries: 13, ..set_aside.clone() };
    let held_up = platform::EventsHeldUp {
        episode_id: text(EPISODE),
        service: text("intake"),
        since: at(0),
        at: at(30),
        nothing_stored: false,
        damaged: false,
    };
    let nothing_stored = platform::EventsHeldUp { nothing_stored: true, ..held_up.clone() };
    let damaged = platform::EventsHeldUp { damaged: true, ..held_up.clone() };
    vec![
        example(&set_aside),
        example(&held_up),
        Example { name: "message-dead-lettered.failing", ..example(&failing) },
        Example { name: "events-held-up.nothing-stored", ..example(&nothing_stored) },
        Example { name: "events-held-up.damaged", ..example(&damaged) },
    ]
}
