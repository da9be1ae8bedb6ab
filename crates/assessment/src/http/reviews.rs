//! The review list: findings that only a change of the rules brought, about which nobody was paged.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use lasegue_platform::auth::Role;
use lasegue_platform::http::{Problem, Query, Routes, failed};
use lasegue_platform::store::Store;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::limits::{LARGEST_PAGE, USUAL_PAGE};
use crate::rule_change::RuleChange;
use crate::store::{episodes, from_json};

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::ProtocolOwner, Role::Auditor, Role::System];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The `next` of the page before.
    after: Option<Uuid>,
    limit: Option<u64>,
}

pub(super) fn routes(store: Store) -> Routes {
    Routes::new().route("/api/v1/reviews", READERS, get(list).with_state(store))
}

async fn list(State(store): State<Store>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Problem> {
    let limit = wanted.limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE);
    let mut rows = episodes::to_review(store.reader(), wanted.after, limit + 1).await.map_err(failed)?;
    let more = rows.len() as u64 > limit;
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({ "entries": entries, "next": next })))
}

fn entry(row: &episodes::Model) -> Result<Value, Problem> {
    let changes: Vec<RuleChange> = from_json(&row.rule_changes).map_err(failed)?;
    let added = changes.iter().filter(|change| change.is_added());
    let findings: Vec<_> = added.map(|change| json!({ "code": change.code, "side": change.side })).collect();
    Ok(json!({ "episode": row.id, "revision": row.revision, "protocol": row.protocol, "findings": findings }))
}
