//! From the wire. What a type allows and its meaning does not is refused: such an event is set aside and paged about.

use chrono::{DateTime, Utc};
use lasegue_contracts::assessment::{Limit, RedFlag, RedFlagRaised, Severity, SignedDisposition, Status};
use lasegue_contracts::intake::{RefusalReason, SubmissionRefused};
use lasegue_contracts::platform::{EventsHeldUp, MessageDeadLettered};
use lasegue_platform::wire::{self, WireError};

use crate::alert::Told;
use crate::finding::{Finding, Key, Met, RedFlags, Side, Sighting, Visit};
use crate::ids::{CaseId, RefusalId, Revision, SubmissionId};
use crate::letter::Letter;
use crate::plan::Report;
use crate::severity::Urgency;

/// The red flags of one revision. Those that are not active, or neither emergency nor urgent, are left out.
pub(crate) fn red_flags(event: &RedFlagRaised, told_at: DateTime<Utc>) -> Result<RedFlags, WireError> {
    let visit = Visit {
        submission: SubmissionId(wire::id("submission_id", &event.submission_id)?),
        assessed_at: wire::instant("assessed_at", event.assessed_at.as_ref())?,
        received_at: wire::instant("received_at", event.received_at.as_ref())?,
        imported: event.bulk,
    };
    let findings: Result<Vec<_>, _> = event.flags.iter().map(|flag| finding(flag, &visit)).collect();
    Ok(RedFlags {
        case: CaseId(wire::id("episode_id", &event.episode_id)?),
        revision: Revision(event.revision),
        told_at,
        findings: findings?.into_iter().flatten().collect(),
        persisting: persisting(event, &visit)?,
        dispositions: event.dispositions.iter().map(signed).collect::<Result<_, _>>()?,
        visit,
    })
}

/// What is known of a refused submission.
pub(crate) fn told(event: &SubmissionRefused) -> Result<Told, WireError> {
    let sent_to = if event.sent_to_episode_id.is_empty() { &event.episode_id } else { &event.sent_to_episode_id };
    let episode = CaseId(wire::id("sent_to_episode_id", sent_to)?);
    // What is not said to be merely unreadable is feared.
    Ok(Told { episode, danger: event.reason() != RefusalReason::Unreadable })
}

/// The case and the refusal that an event of intake names.
pub(crate) fn refusal(episode: &str, refusal: &str) -> Result<(CaseId, RefusalId), WireError> {
    Ok((CaseId(wire::id("episode_id", episode)?), RefusalId(wire::id("refusal_id", refusal)?)))
}

/// The message that an event says could not be handled.
pub(crate) fn letter(event: MessageDeadLettered) -> Result<Letter, WireError> {
    Ok(Letter {
        id: wire::id("dead_letter_id", &event.dead_letter_id)?,
        failing: event.tries > 0,
        episode_id: event.episode_id.parse().map(CaseId).ok(),
        consumer: event.consumer,
        event_type: event.event_type,
    })
}

/// What holds up the events of a service.
pub(crate) fn trouble(event: EventsHeldUp) -> Report {
    match event {
        EventsHeldUp { damaged: true, service, .. } => Report::Damaged(service),
        EventsHeldUp { nothing_stored: true, service, .. } => Report::NothingStored(service),
        EventsHeldUp { service, .. } => Report::EventsHeldUp(service),
    }
}

fn finding(flag: &RedFlag, visit: &Visit) -> Result<Option<Finding>, WireError> {
    let (Some(urgency), true) = (urgency(flag)?, is_active(flag.status())?) else { return Ok(None) };
    let respond_by = match (&flag.respond_by, urgency) {
        (None, Urgency::Emergency) => visit.received_at,
        (at, _) => wire::instant("respond_by", at.as_ref())?,
    };
    Ok(Some(Finding {
        key: key(&flag.code, &flag.side)?,
        urgency,
        respond_by,
        measure: flag.measure.iter().map(|(ground, value)| (ground.clone(), *value)).collect(),
        met_at_visit: flag.met_at_visit,
        last_met: last_met(flag, visit)?,
        met: met(flag)?,
        ask: flag.ask,
        corrected_pending: flag.status() == Status::CorrectedPending,
    }))
}

fn persisting(event: &RedFlagRaised, visit: &Visit) -> Result<Vec<(Key, Sighting)>, WireError> {
    let mut persisting = Vec::new();
    for flag in event.flags.iter().filter(|flag| flag.status() == Status::Persisting && flag.met_at_visit) {
        let key = key(&flag.code, &flag.side)?;
        persisting.extend(last_met(flag, visit)?.map(|met| (key, met)));
    }
    Ok(persisting)
}

fn met(flag: &RedFlag) -> Result<Option<Met>, WireError> {
    let Some(latest_at) = &flag.met_latest_at else { return Ok(None) };
    Ok(Some(Met { live: flag.met_live, latest_at: wire::instant("met_latest_at", Some(latest_at))? }))
}

/// What met a finding last. A former version told of the assessed visit alone.
fn last_met(flag: &RedFlag, visit: &Visit) -> Result<Option<Sighting>, WireError> {
    let Some(meeting) = &flag.last_met else {
        let assessed =
            || Sighting { submission: visit.submission, received_at: visit.received_at, revision: Revision::default() };
        return Ok(flag.met_at_visit.then(assessed));
    };
    Ok(Some(Sighting {
        submission: SubmissionId(wire::id("last_met.submission_id", &meeting.submission_id)?),
        received_at: wire::instant("last_met.received_at", meeting.received_at.as_ref())?,
        revision: Revision(meeting.revision),
    }))
}

fn urgency(flag: &RedFlag) -> Result<Option<Urgency>, WireError> {
    match (flag.severity(), flag.limit()) {
        (Severity::Emergency, _) => Ok(Some(Urgency::Emergency)),
        (Severity::Urgent, Limit::Immediate | Limit::SameDay) => Ok(Some(Urgency::SameDay)),
        (Severity::Urgent, Limit::Limit24Hours) => Ok(Some(Urgency::OneDay)),
        (Severity::Urgent, Limit::Limit7Days) => Ok(Some(Urgency::SevenDays)),
        (Severity::Urgent, Limit::Unspecified) => Err(WireError("limit")),
        (Severity::Routine | Severity::Info, _) => Ok(None),
        (Severity::Unspecified, _) => Err(WireError("severity")),
    }
}

fn is_active(status: Status) -> Result<bool, WireError> {
    match status {
        Status::New | Status::Open | Status::Worse | Status::CorrectedPending | Status::ProtocolChanged => Ok(true),
        Status::Persisting => Ok(false),
        Status::Unspecified => Err(WireError("status")),
    }
}

fn signed(disposition: &SignedDisposition) -> Result<Key, WireError> {
    key(&disposition.code, &disposition.side)
}

fn key(code: &str, side: &str) -> Result<Key, WireError> {
    let side = match side {
        "" => None,
        "left" => Some(Side::Left),
        "right" => Some(Side::Right),
        _ => return Err(WireError("side")),
    };
    if code.is_empty() { Err(WireError("code")) } else { Ok(Key { code: code.to_owned(), side }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &RedFlagRaised) -> Result<RedFlags, WireError> {
        red_flags(event, DateTime::UNIX_EPOCH)
    }

    fn flag() -> RedFlag {
        RedFlag {
            code: "motor-deficit-severe".to_owned(),
            side: "left".to_owned(),
            severity: Severity::Emergency.into(),
            status: Status::New.into(),
            limit: Limit::Immediate.into(),
            measure: [("knee_extension".to_owned(), 2)].into(),
            met_at_visit: true,
            ..RedFlag::default()
        }
    }

    fn event(flags: Vec<RedFlag>) -> RedFlagRaised {
        let at = Some(wire::timestamp(DateTime::UNIX_EPOCH));
        let id = "01980000-0000-7000-8000-000000000001".to_owned();
        let (assessed_at, received_at) = (at, at);
        RedFlagRaised {
            episode_id: id.clone(),
            revision: 3,
            submission_id: id,
            assessed_at,
            received_at,
            flags,
            ..RedFlagRaised::default()
        }
    }

    #[test]
    fn an_emergency_needs_no_limit_and_is_due_when_it_came_in() {
        let flags = read(&event(vec![flag()])).unwrap();
        let finding = &flags.findings[0];
        assert_eq!((finding.urgency, finding.respond_by), (Urgency::Emergency, DateTime::UNIX_EPOCH));
        assert_eq!(finding.key.to_string(), "motor-deficit-severe/left");
    }

    #[test]
    fn what_does_not_page_is_left_out() {
        let persisting = RedFlag { status: Status::Persisting.into(), ..flag() };
        let routine = RedFlag { severity: Severity::Routine.into(), ..flag() };
        let flags = read(&event(vec![persisting, routine])).unwrap();
        assert!(flags.findings.is_empty());
        assert_eq!(flags.persisting[0].0.to_string(), "motor-deficit-severe/left");
    }

    #[test]
    fn what_cannot_be_understood_is_refused_and_named() {
        let no_limit = RedFlag { severity: Severity::Urgent.into(), limit: Limit::Unspecified.into(), ..flag() };
        for (flag, field) in [
            (RedFlag { side: "middle".to_owned(), ..flag() }, "side"),
            (RedFlag { code: String::new(), ..flag() }, "code"),
            (RedFlag { severity: 99, ..flag() }, "severity"),
            (RedFlag { status: 0, ..flag() }, "status"),
            (no_limit, "limit"),
        ] {
            assert_eq!(read(&event(vec![flag])), Err(WireError(field)));
        }
        assert_eq!(read(&RedFlagRaised::default()), Err(WireError("submission_id")));
    }
}
