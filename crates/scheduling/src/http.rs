//! Scheduling's routes: the plan of an episode and the worklist.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use lasegue_platform::auth::Role;
use lasegue_platform::http::{EpisodeId, Problem, Query, Routes};
use lasegue_platform::store::Store;
use sea_orm::{DbErr, EntityTrait};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::{past_plans, plans};
use crate::worklist::{Filter, Place, query};

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];

/// Plans shown of an episode's past.
const PAST: u64 = 50;
/// Entries of a worklist page when the caller does not say, and at most.
const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 500;

pub(crate) fn routes(store: Store) -> Routes {
    Routes::new().route("/api/v1/episodes/{id}/schedule", READERS, get(schedule).with_state(store.clone())).route(
        "/api/v1/worklist",
        READERS,
        get(worklist).with_state(store),
    )
}

async fn schedule(State(store): State<Store>, EpisodeId(episode): EpisodeId) -> Result<Json<Value>, Problem> {
    let row = plans::Entity::find_by_id(episode).one(store.reader()).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| Problem::not_found(format!("Nothing is planned for episode {episode} yet.")))?;
    let past = past_plans::of_episode(store.reader(), episode, PAST).await.map_err(|error| failed(&error))?;
    let mut body = entry(&row);
    body["history"] = past
        .into_iter()
        .map(|plan| {
            json!({
                "revision": plan.revision, "kind": plan.kind, "earliest": plan.earliest, "latest": plan.latest,
                "planned_at": plan.planned_at,
            })
        })
        .collect();
    Ok(Json(body))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    state: Option<String>,
    kind: Option<String>,
    severity: Option<String>,
    after: Option<String>,
    limit: Option<u64>,
}

async fn worklist(State(store): State<Store>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Problem> {
    let after = match wanted.after.as_deref().map(Place::parse) {
        Some(None) => return Err(Problem::bad_request("`after` must be the `next` of the page before.")),
        Some(place) => place,
        None => None,
    };
    let most = wanted.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let filter = Filter { state: wanted.state, kind: wanted.kind, severity: wanted.severity, after };
    let rows = query(&filter, most).all(store.reader()).await.map_err(|error| failed(&error))?;
    let next = rows.last().filter(|_| rows.len() as u64 == most).map(|row| Place::of(row).cursor());
    Ok(Json(json!({ "entries": rows.iter().map(entry).collect::<Vec<_>>(), "next": next })))
}

fn entry(row: &plans::Model) -> Value {
    json!({
        "episode": row.episode_id,
        "revision": row.revision,
        "kind": row.kind,
        "earliest": row.earliest,
        "latest": row.latest,
        "time_zone": row.time_zone,
        "state": row.state,
        "severity": row.severity,
    })
}

fn failed(error: &DbErr) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "scheduling's database failed");
    Problem::internal()
}
