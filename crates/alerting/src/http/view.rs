//! An alert as the API shows it. It names the finding, so it is for signed-in callers alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::alert::{Alert, Origin, Told};
use crate::finding::Side;
use crate::ids::{AlertId, CaseId, ContactName, Person, RefusalId, Revision};
use crate::letter::Letters;
use crate::on_call::OnCall;
use crate::severity::Urgency;
use crate::state::{Closure, State};
use crate::tone::Tone;

/// An alert as the API shows it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: AlertId,
    /// The word by which people speak of it; its pages bear it.
    reference: String,
    /// None for alerts of the service itself.
    episode_id: Option<CaseId>,
    /// The revision to name when acting.
    revision: Revision,
    /// The revision that last brought news of this alert.
    news: Revision,
    code: String,
    side: Option<Side>,
    severity: Tone,
    urgency: Urgency,
    respond_by: DateTime<Utc>,
    opened_at: DateTime<Utc>,
    corrected_pending: bool,
    /// How many refused submissions it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusals: Option<u64>,
    /// Those of them that were not corrected yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<Refused>>,
    /// Everybody who was paged about it.
    paged: Vec<ContactName>,
    state: &'static str,
    /// When it pages next by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_at: Option<DateTime<Utc>>,
    /// The messages that could not be handled: the latest by name, and how many there were.
    #[serde(skip_serializing_if = "Letters::is_empty")]
    events: Letters,
    /// The services whose trouble it is about.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    services: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
}

#[derive(Debug, Serialize)]
struct Refused {
    id: RefusalId,
    episode_id: CaseId,
    danger_sign: bool,
}

#[derive(Debug, Serialize)]
struct Accepted {
    by: Person,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Whether a page about it can reach them.
    can_be_paged: bool,
}

#[derive(Debug, Serialize)]
struct Closed {
    at: DateTime<Utc>,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl View {
    /// The alert of a case that is at `revision`.
    pub(super) fn of(case: CaseId, revision: Revision, alert: &Alert, on_call: &OnCall) -> Self {
        let (refusals, refused) = refusals(alert).unzip();
        Self {
            id: alert.id,
            reference: alert.id.reference(),
            episode_id: Some(case).filter(|case| *case != CaseId::OPERATOR),
            revision,
            news: alert.news,
            code: alert.key.code.clone(),
            side: alert.key.side,
            severity: alert.tone(),
            urgency: alert.memory.urgency,
            respond_by: alert.memory.respond_by,
            opened_at: alert.opened_at,
            corrected_pending: alert.memory.corrected,
            refusals,
            refused,
            paged: alert.paged.iter().cloned().collect(),
            state: alert.state.word(),
            next_page_at: alert.next_page(),
            events: alert.letters.clone(),
            services: alert.services.clone(),
            accepted: accepted(alert, on_call),
            closed: closed(alert),
        }
    }
}

/// How many there were, and what is known of those that were not corrected.
fn refusals(alert: &Alert) -> Option<(u64, Vec<Refused>)> {
    let Origin::Refusals { open, told, count } = &alert.origin else { return None };
    let refused =
        |(id, told): (&RefusalId, &Told)| Refused { id: *id, episode_id: told.episode, danger_sign: told.danger };
    Some(((open.len() as u64).max(*count), told.iter().map(refused).collect()))
}

fn accepted(alert: &Alert, on_call: &OnCall) -> Option<Accepted> {
    let State::Accepted { by, at, .. } = &alert.state else { return None };
    let (until, _) = alert.acceptance_ends()?;
    Some(Accepted { by: by.clone(), at: *at, until, can_be_paged: on_call.contact_of(by).is_some() })
}

fn closed(alert: &Alert) -> Option<Closed> {
    let State::Closed { at, closure } = &alert.state else { return None };
    let (by, note) = match closure {
        Closure::Signed { by, note, .. } => (Some(by.clone()), Some(note.clone())),
        Closure::Disposed | Closure::Answered | Closure::Withdrawn => (None, None),
    };
    Some(Closed { at: *at, why: closure.word(), by, note })
}
