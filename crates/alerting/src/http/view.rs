//! An alert as the API shows it. It names the finding, so it is for signed-in callers alone.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::alert::Alert;
use crate::finding::Side;
use crate::ids::{AlertId, CaseId, ContactName, Person, Revision};
use crate::severity::Urgency;
use crate::state::{Closure, State};
use crate::tone::Tone;

/// An alert as the API shows it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: AlertId,
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
    /// Everybody who was paged about it.
    paged: Vec<ContactName>,
    state: &'static str,
    /// When it pages next by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
}

#[derive(Debug, Serialize)]
struct Accepted {
    by: Person,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
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
    pub(super) fn of(case: CaseId, revision: Revision, alert: &Alert) -> Self {
        Self {
            id: alert.id,
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
            paged: alert.paged.iter().cloned().collect(),
            state: alert.state.word(),
            next_page_at: alert.next_instant(),
            accepted: accepted(alert),
            closed: closed(alert),
        }
    }
}

fn accepted(alert: &Alert) -> Option<Accepted> {
    let State::Accepted { by, at, .. } = &alert.state else { return None };
    let (until, _) = alert.acceptance_ends()?;
    Some(Accepted { by: by.clone(), at: *at, until })
}

fn closed(alert: &Alert) -> Option<Closed> {
    let State::Closed { at, closure } = &alert.state else { return None };
    let (by, note) = match closure {
        Closure::Signed { by, note } => (Some(by.clone()), Some(note.clone())),
        Closure::Disposed | Closure::Answered | Closure::Withdrawn => (None, None),
    };
    Some(Closed { at: *at, why: closure.word(), by, note })
}
