//! Acting on alerts. A clinician may act on every alert; an operator on the service's own troubles, a coordinator on
//! notices. Every body names the revision that was seen.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::http::problem::Fault;
use lasegue_platform::http::{Body, EpisodeId, Problem, failed};
use lasegue_values::Note;
use serde::Deserialize;

use super::no_such_alert;
use super::view::View;
use crate::alert::{Alert, Origin};
use crate::case::Case;
use crate::escalation::command::{Action, Command, Refused};
use crate::ids::{AlertId, ContactName, Person, Revision};
use crate::service::{Alerting, CommandError};
use crate::state::Impossible;
use crate::store::{self, alerts};

type Answer = Result<Json<View>, Problem>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    revision: Revision,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandOver {
    revision: Revision,
    /// To somebody by name; to the next step without.
    to: Option<ContactName>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extend {
    revision: Revision,
    until: DateTime<Utc>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dispose {
    revision: Revision,
    /// What was found.
    note: String,
}

/// `POST /api/v1/alerts/{id}/accept`
pub(super) async fn accept(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<Seen>,
) -> Answer {
    act(&alerting, identity, id, body.revision, Action::Accept).await
}

/// `POST /api/v1/alerts/{id}/take-over`
pub(super) async fn take_over(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<Seen>,
) -> Answer {
    act(&alerting, identity, id, body.revision, Action::TakeOver).await
}

/// `POST /api/v1/alerts/{id}/decline`
pub(super) async fn decline(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<Seen>,
) -> Answer {
    act(&alerting, identity, id, body.revision, Action::Decline).await
}

/// `POST /api/v1/alerts/{id}/hand-over`
pub(super) async fn hand_over(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<HandOver>,
) -> Answer {
    act(&alerting, identity, id, body.revision, Action::HandOver { to: body.to }).await
}

/// `POST /api/v1/alerts/{id}/extend`
pub(super) async fn extend(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<Extend>,
) -> Answer {
    let why = note("/reason", &body.reason)?;
    act(&alerting, identity, id, body.revision, Action::Extend { until: body.until, why }).await
}

/// `POST /api/v1/alerts/{id}/dispose`
pub(super) async fn dispose(
    State(alerting): State<Arc<Alerting>>,
    identity: Identity,
    EpisodeId(id): EpisodeId,
    Body(body): Body<Dispose>,
) -> Answer {
    let note = note("/note", &body.note)?;
    act(&alerting, identity, id, body.revision, Action::Dispose { note }).await
}

async fn act(alerting: &Alerting, identity: Identity, id: uuid::Uuid, seen: Revision, action: Action) -> Answer {
    let (db, id) = (alerting.store().reader(), AlertId(id));
    let case = alerts::case_of(db, id).await.map_err(failed)?.ok_or_else(no_such_alert)?;
    let before = store::load(db, case).await.map_err(failed)?.case;
    let alert = before.alerts.get(&id).ok_or_else(no_such_alert)?;
    may_act(identity.role, alert)?;
    let command = Command { alert: id, by: Person(identity.subject), seen, action };
    match alerting.command(case, &command).await {
        Ok(after) => {
            let alert = after.alerts.get(&id).ok_or_else(no_such_alert)?;
            Ok(Json(View::of(case, after.shown(), alert, alerting.on_call())))
        }
        Err(CommandError::Store(error)) => Err(failed(error)),
        Err(CommandError::Refused(Refused::News { current, alerts, .. })) => {
            news(alerting, &before, current, &alerts).await
        }
        Err(CommandError::Refused(refused)) => Err(problem(&refused)),
    }
}

fn may_act(role: Role, alert: &Alert) -> Result<(), Problem> {
    let may = match alert.origin {
        Origin::Finding { .. } | Origin::Refusals { .. } => role == Role::Clinician,
        Origin::Operator => matches!(role, Role::Clinician | Role::Operator),
        Origin::Notice { .. } => matches!(role, Role::Clinician | Role::Coordinator),
    };
    if may {
        return Ok(());
    }
    let title = "The token's role may not do this";
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", title).detail("A clinician has to act on this alert."))
}

/// 409 with the alerts that have changed since.
async fn news(alerting: &Alerting, before: &Case, current: Revision, changed: &[AlertId]) -> Answer {
    let now = store::load(alerting.store().reader(), before.id).await.map_err(failed)?.case;
    let view = |alert| View::of(now.id, current, alert, alerting.on_call());
    let views: Vec<_> = changed.iter().filter_map(|id| now.alerts.get(id)).map(view).collect();
    let detail = format!("There is news since the revision that you named. Look at it and name revision {current}.");
    let news = serde_json::to_value(views).map_err(|_| Problem::internal())?;
    Err(Problem::conflict("news", detail).with("revision", current.0).with("news", news))
}

fn problem(refused: &Refused) -> Problem {
    match refused {
        Refused::Unknown => no_such_alert(),
        Refused::NoContact { .. } | Refused::ToOneself(_) => at("/to", refused),
        Refused::Impossible(Impossible::OutsideExtension { .. }) => at("/until", refused),
        Refused::Impossible(impossible) => Problem::conflict(code(impossible), refused.to_string()),
        Refused::Ahead { current, .. } => {
            Problem::conflict("revision-ahead", refused.to_string()).with("revision", current.0)
        }
        Refused::News { current, .. } => Problem::conflict("news", refused.to_string()).with("revision", current.0),
    }
}

fn at(pointer: &str, refused: &Refused) -> Problem {
    Problem::refused([Fault { pointer: pointer.to_owned(), reason: refused.to_string() }])
}

const fn code(impossible: &Impossible) -> &'static str {
    match impossible {
        Impossible::Closed(_) => "alert-closed",
        Impossible::AcceptedBy(_) => "alert-accepted-by-another",
        Impossible::NotPaging => "alert-not-paging",
        Impossible::NotAccepted => "alert-not-accepted",
        Impossible::NotExtendable | Impossible::OutsideExtension { .. } => "alert-not-extendable",
    }
}

fn note(pointer: &str, text: &str) -> Result<String, Problem> {
    let refused = |reason| Problem::refused([Fault { pointer: pointer.to_owned(), reason }]);
    Note::parse(text).map(String::from).map_err(|unfit| refused(unfit.to_string()))
}
