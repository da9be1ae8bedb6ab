//! An episode's results: the latest, the one at a visit, all there were.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use lasegue_platform::auth::Role;
use lasegue_platform::http::{EpisodeId, Problem, Query, Routes, failed};
use lasegue_platform::store::Store;
use lasegue_protocol::evaluate;
use lasegue_protocol::record::SubmissionId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::history::History;
use crate::limits::{LARGEST_PAGE, USUAL_PAGE};
use crate::protocols::Protocols;
use crate::store::{results, to_json};

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];

#[derive(Clone)]
struct Reading {
    store: Store,
    protocols: Protocols,
}

/// Which result, or which of all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Evaluated as of this submission.
    visit: Option<Uuid>,
    /// All stored results, newest first.
    #[serde(default)]
    history: bool,
    /// Of the history, only results below this revision: the `next_before` of the page before.
    before: Option<i64>,
    /// Of the history, how many results at most.
    limit: Option<u64>,
}

pub(super) fn routes(store: Store, protocols: Protocols) -> Routes {
    let reading = Reading { store, protocols };
    Routes::new().route("/api/v1/episodes/{id}/assessment", READERS, get(read).with_state(reading))
}

async fn read(
    State(reading): State<Reading>,
    EpisodeId(episode): EpisodeId,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    match wanted {
        Wanted { visit: None, history: false, before: None, limit: None } => latest(&reading.store, episode).await,
        Wanted { visit: None, history: true, before, limit } => history(&reading.store, episode, before, limit).await,
        Wanted { visit: Some(visit), history: false, before: None, limit: None } => {
            at_visit(&reading, episode, visit).await
        }
        _ => Err(Problem::bad_request(
            "Ask for `visit`, or for `history=true` with `before` and `limit`, or for neither and get the latest result.",
        )),
    }
    .map(Json)
}

async fn latest(store: &Store, episode: Uuid) -> Result<Value, Problem> {
    let found = results::latest(store.reader(), episode, None, 1).await.map_err(failed)?;
    found.into_iter().next().map(public).ok_or_else(|| nothing_yet(episode))
}

async fn history(store: &Store, episode: Uuid, before: Option<i64>, limit: Option<u64>) -> Result<Value, Problem> {
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE);
    let mut found = results::latest(store.reader(), episode, before, limit + 1).await.map_err(failed)?;
    let more = found.len() as u64 > limit;
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|row| row.revision);
    Ok(json!({ "results": found.into_iter().map(public).collect::<Vec<_>>(), "next_before": next }))
}

/// By the active protocol: a visit that was not the latest has no stored result of its own.
async fn at_visit(reading: &Reading, episode: Uuid, visit: Uuid) -> Result<Value, Problem> {
    let history = History::read(reading.store.reader(), episode).await.map_err(failed)?;
    let record = history.record().map_err(failed)?.ok_or_else(|| nothing_yet(episode))?;
    let protocol = reading.protocols.active(&reading.store).await.map_err(failed)?;
    let visit = SubmissionId(visit.to_string());
    let assessment =
        evaluate(&protocol, &record, Some(&visit)).map_err(|error| Problem::not_found(format!("{error}.")))?;
    Ok(with_revision(to_json(&assessment).map_err(failed)?, history.row.revision))
}

fn public(row: results::Model) -> Value {
    with_revision(row.body, row.revision)
}

fn with_revision(mut result: Value, revision: i64) -> Value {
    result["revision"] = json!(revision);
    result
}

fn nothing_yet(episode: Uuid) -> Problem {
    Problem::not_found(format!(
        "Nothing of episode {episode} has been assessed yet: ask again once a submission was accepted."
    ))
}
