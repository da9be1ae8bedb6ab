//! Scheduling's routes: the plan of an episode and the worklist.

use axum::Json;
use axum::extract::State as Shared;
use axum::routing::get;
use lasegue_platform::auth::Role;
use lasegue_platform::http::{EpisodeId, Problem, Query, Routes, dead_letters, failed};
use lasegue_platform::store::Store;
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::{Kind, State};
use crate::store::{past_plans, plans};
use crate::worklist::{self, Filter, Place, Severity};

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];

/// Plans shown of an episode's past: the latest. All of them are kept.
const PAST: u64 = 50;
/// Entries of a worklist page when the caller does not say, and at most.
const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 500;

pub(crate) fn routes(store: &Store) -> Routes {
    dead_letters::routes(store)
        .route("/api/v1/episodes/{id}/schedule", READERS, get(schedule).with_state(store.clone()))
        .route("/api/v1/worklist", READERS, get(list).with_state(store.clone()))
        .audited(store)
}

async fn schedule(Shared(store): Shared<Store>, EpisodeId(episode): EpisodeId) -> Result<Json<Value>, Problem> {
    let row = plans::Entity::find_by_id(episode).one(store.reader()).await.map_err(failed)?;
    let row = row.ok_or_else(|| {
        Problem::not_found(format!("Nothing is planned for episode {episode} yet: ask again once it was assessed."))
    })?;
    let past = past_plans::of_episode(store.reader(), episode, PAST).await.map_err(failed)?;
    let mut body = entry(&row);
    body["history"] = past.iter().map(past_entry).collect();
    Ok(Json(body))
}

/// Which entries. Words that name nothing are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    state: Option<String>,
    kind: Option<String>,
    severity: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    limit: Option<u64>,
}

async fn list(Shared(store): Shared<Store>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let filter = wanted.filter()?;
    let page = worklist::page(store.reader(), &filter, limit).await.map_err(failed)?;
    Ok(Json(json!({ "entries": page.rows.iter().map(entry).collect::<Vec<_>>(), "next": page.next })))
}

impl Wanted {
    fn filter(self) -> Result<Filter, Problem> {
        let Self { state, kind, severity, after, .. } = self;
        Ok(Filter {
            state: named("state", state, State::named, &State::ALL.map(State::name))?,
            kind: named("kind", kind, Kind::named, &Kind::ALL.map(Kind::name))?,
            severity: named("severity", severity, Severity::named, &Severity::ALL.map(Severity::name))?,
            after: named("after", after, Place::parse, &["the `next` of the page before"])?,
        })
    }
}

fn named<T>(
    field: &str,
    word: Option<String>,
    read: impl Fn(&str) -> Option<T>,
    allowed: &[&str],
) -> Result<Option<T>, Problem> {
    let refused = || Problem::bad_request(format!("`{field}` must be one of: {}.", allowed.join(", ")));
    word.map(|word| read(&word).ok_or_else(refused)).transpose()
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
        "severity": row.severity.map(Severity::name),
        "needs": row.needs,
        "assessed_on": row.assessed_on,
        "planned_at": row.planned_at,
    })
}

fn past_entry(plan: &past_plans::Model) -> Value {
    json!({
        "revision": plan.revision,
        "kind": plan.kind,
        "earliest": plan.earliest,
        "latest": plan.latest,
        "planned_at": plan.planned_at,
    })
}
