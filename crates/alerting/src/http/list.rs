//! Reading alerts: a list in pages, and one with everything that happened to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lasegue_platform::http::{EpisodeId, Problem, Query, failed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::no_such_alert;
use super::view::View;
use crate::ids::{AlertId, CaseId};
use crate::service::Alerting;
use crate::store::alerts::{self, After};
use crate::store::{self, audit};

/// How many alerts one answer holds, unless asked otherwise, and at most; also entries of a history.
const USUAL: u64 = 100;
const MOST: u64 = 500;

/// Which alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    state: Which,
    /// The `next` of the answer before.
    after: Option<String>,
    limit: Option<u64>,
}

/// Alerts by how far they have come.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// Everything somebody still has to do something about.
    #[default]
    Active,
    Listed,
    Open,
    Accepted,
    Closed,
}

impl Which {
    const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["listed", "open", "accepted"],
            Self::Listed => &["listed"],
            Self::Open => &["open"],
            Self::Accepted => &["accepted"],
            Self::Closed => &["closed"],
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct List {
    alerts: Vec<View>,
    /// Names the page that follows, as long as there is one.
    next: Option<String>,
}

/// `GET /api/v1/alerts`: oldest first.
pub(super) async fn list(
    State(alerting): State<Arc<Alerting>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List>, Problem> {
    let after = wanted.after.as_deref().map(read_cursor).transpose()?;
    let limit = wanted.limit.unwrap_or(USUAL).clamp(1, MOST);
    let db = alerting.store().reader();
    let mut found = alerts::in_states(db, wanted.state.states(), after, limit + 1).await.map_err(failed)?;
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|(_, alert)| write_cursor(alert.opened_at, alert.id));
    let shown = store::shown(db, found.iter().map(|(case, _)| *case)).await.map_err(failed)?;
    let revision = |case: &CaseId| shown.get(case).copied().unwrap_or_default();
    let view = |(case, alert)| View::of(case, revision(&case), &alert, alerting.on_call());
    Ok(Json(List { alerts: found.into_iter().map(view).collect(), next }))
}

/// Which part of an alert's history.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Part {
    /// The `history_next` of the answer before.
    after: i64,
}

/// `GET /api/v1/alerts/{id}`: the alert with its history, as much of it as one answer holds.
pub(super) async fn one(
    State(alerting): State<Arc<Alerting>>,
    EpisodeId(id): EpisodeId,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Problem> {
    let (db, id) = (alerting.store().reader(), AlertId(id));
    let case = alerts::case_of(db, id).await.map_err(failed)?.ok_or_else(no_such_alert)?;
    let loaded = store::load(db, case).await.map_err(failed)?;
    let alert = loaded.case.alerts.get(&id).ok_or_else(no_such_alert)?;
    let mut history = audit::of_alert(db, (case, id), part.after, MOST + 1).await.map_err(failed)?;
    let more = history.len() as u64 > MOST;
    history.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
    let next = history.last().filter(|_| more).map(|row| row.id);
    let history: Vec<_> = history.into_iter().map(|row| json!({ "at": row.at, "event": row.what })).collect();
    let alert = View::of(case, loaded.case.shown(), alert, alerting.on_call());
    let mut answer = json!({ "alert": alert, "history": history });
    if let Some(next) = next {
        answer["history_next"] = next.into();
    }
    Ok(Json(answer))
}

fn write_cursor(opened_at: chrono::DateTime<chrono::Utc>, id: AlertId) -> String {
    format!("{}_{id}", opened_at.timestamp_micros())
}

fn read_cursor(text: &str) -> Result<After, Problem> {
    let read = || {
        let (micros, id) = text.split_once('_')?;
        let opened_at = chrono::DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some(After { opened_at, id: AlertId(id.parse().ok()?) })
    };
    read().ok_or_else(|| Problem::bad_request("`after` must be the `next` of an earlier answer."))
}
