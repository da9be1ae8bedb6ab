//! Assessment's routes: the latest result, the result at a visit, all results there were.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use lasegue_platform::auth::Role;
use lasegue_platform::http::{EpisodeId, Problem, Query, Routes};
use lasegue_platform::store::{Store, StoreError};
use lasegue_protocol::evaluate;
use lasegue_protocol::record::SubmissionId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::history::History;
use crate::protocols::Protocols;
use crate::store::results;

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];

/// Results of one page of history.
const PAGE: u64 = 50;

#[derive(Clone)]
struct Reading {
    store: Store,
    protocols: Protocols,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Evaluate as of this submission.
    visit: Option<Uuid>,
    /// All stored results, newest first.
    #[serde(default)]
    history: bool,
    /// Only results below this revision: the last one of the page before.
    before: Option<i64>,
}

pub(crate) fn routes(store: Store) -> Routes {
    let reading = Reading { store, protocols: Protocols::default() };
    Routes::new().route("/api/v1/episodes/{id}/assessment", READERS, get(read).with_state(reading))
}

async fn read(
    State(reading): State<Reading>,
    EpisodeId(episode): EpisodeId,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    match wanted.visit {
        Some(visit) => at_visit(&reading, episode, visit).await,
        None if wanted.history => history(&reading.store, episode, wanted.before).await,
        None => latest(&reading.store, episode).await,
    }
    .map(Json)
}

async fn latest(store: &Store, episode: Uuid) -> Result<Value, Problem> {
    let found = results::latest(store.reader(), episode, None, 1).await.map_err(failed)?;
    found.into_iter().next().map(with_revision).ok_or_else(|| nothing_yet(episode))
}

async fn history(store: &Store, episode: Uuid, before: Option<i64>) -> Result<Value, Problem> {
    let found = results::latest(store.reader(), episode, before, PAGE).await.map_err(failed)?;
    let more = found.len() as u64 == PAGE;
    let next = found.last().filter(|_| more).map(|row| row.revision);
    Ok(json!({ "results": found.into_iter().map(with_revision).collect::<Vec<_>>(), "next_before": next }))
}

async fn at_visit(reading: &Reading, episode: Uuid, visit: Uuid) -> Result<Value, Problem> {
    let history = History::read(reading.store.reader(), episode).await.map_err(failed)?;
    let record = history.record().map_err(failed)?.ok_or_else(|| nothing_yet(episode))?;
    let protocol = reading.protocols.active(&reading.store).await.map_err(failed)?;
    let visit = SubmissionId(visit.to_string());
    let assessment =
        evaluate(&protocol, &record, Some(&visit)).map_err(|error| Problem::not_found(error.to_string()))?;
    Ok(serde_json::to_value(assessment).unwrap_or_default())
}

fn with_revision(row: results::Model) -> Value {
    let mut body = row.body;
    body["revision"] = json!(row.revision);
    body
}

fn nothing_yet(episode: Uuid) -> Problem {
    Problem::not_found(format!(
        "Nothing of episode {episode} has been assessed yet: ask again once a submission was accepted."
    ))
}

fn failed(error: impl Into<StoreError>) -> Problem {
    let error = error.into();
    tracing::error!(error = &error as &dyn std::error::Error, "assessment's database failed");
    Problem::internal()
}
