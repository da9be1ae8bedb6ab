//! Reading alerts: a list in pages, and one with everything that happened to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lasegue_platform::http::{EpisodeId, Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::view::View;
use super::{broken, no_such_alert};
use crate::ids::AlertId;
use crate::service::Alerting;
use crate::store::alerts::{self, After};
use crate::store::{self, audit};

/// How many alerts one answer holds, unless asked otherwise, and at most.
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
    let mut found = alerts::in_states(db, wanted.state.states(), after, limit + 1).await.map_err(broken)?;
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|(_, alert)| write_cursor(alert.opened_at, alert.id));
    let shown = store::shown(db, found.iter().map(|(case, _)| *case)).await.map_err(broken)?;
    let view = |(case, alert)| View::of(case, shown.get(&case).copied().unwrap_or_default(), &alert);
    Ok(Json(List { alerts: found.into_iter().map(view).collect(), next }))
}

/// `GET /api/v1/alerts/{id}`: the alert with its history.
pub(super) async fn one(
    State(alerting): State<Arc<Alerting>>,
    EpisodeId(id): EpisodeId,
) -> Result<Json<Value>, Problem> {
    let (db, id) = (alerting.store().reader(), AlertId(id));
    let case = alerts::case_of(db, id).await.map_err(broken)?.ok_or_else(no_such_alert)?;
    let loaded = store::load(db, case).await.map_err(broken)?;
    let alert = loaded.case.alerts.get(&id).ok_or_else(no_such_alert)?;
    let history: Vec<_> = audit::of_alert(db, case, id)
        .await
        .map_err(broken)?
        .into_iter()
        .map(|row| json!({ "at": row.at, "event": row.what }))
        .collect();
    Ok(Json(json!({ "alert": View::of(case, loaded.case.shown(), alert), "history": history })))
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
