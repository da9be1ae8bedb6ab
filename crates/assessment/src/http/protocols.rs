//! Protocols: brought by one protocol owner, activated by another.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::http::problem::Fault;
use lasegue_platform::http::{Body, Problem, Routes, failed};
use lasegue_platform::store::{Store, StoreError};
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::activation::{self, ActivationError};
use crate::store::protocols;

const OWNERS: &[Role] = &[Role::ProtocolOwner];
const READERS: &[Role] = &[Role::ProtocolOwner, Role::Clinician, Role::Auditor];

pub(super) fn routes(store: Store) -> Routes {
    Routes::new()
        .route("/api/v1/protocols", READERS, get(list).with_state(store.clone()))
        .route("/api/v1/protocols", OWNERS, post(bring).with_state(store.clone()))
        .route("/api/v1/protocols/{sha256}", READERS, get(read).with_state(store.clone()))
        .route("/api/v1/protocols/{sha256}/activate", OWNERS, post(activate).with_state(store))
}

/// All protocols, the latest brought first, each with its activations.
async fn list(State(store): State<Store>) -> Result<Json<Value>, Problem> {
    let rows = protocols::all(store.reader()).await.map_err(failed)?;
    let entries: Vec<_> = rows
        .into_iter()
        .map(|row| {
            json!({
                "sha256": row.sha256, "id": row.id, "version": row.version, "author": row.author,
                "state": row.state.name(), "stored_at": row.stored_at, "approved_by": row.approved_by,
                "activated_at": row.activated_at,
            })
        })
        .collect();
    let history: Vec<_> = protocols::activations(store.reader())
        .await
        .map_err(failed)?
        .into_iter()
        .map(|row| {
            json!({
                "sha256": row.sha256, "approved_by": row.approved_by, "backtest": row.backtest,
                "activated_at": row.activated_at,
            })
        })
        .collect();
    Ok(Json(json!({ "protocols": entries, "activations": history })))
}

/// The TOML text of one.
async fn read(State(store): State<Store>, Path(sha256): Path<String>) -> Result<Response, Problem> {
    let sha256 = hash(sha256)?;
    let row =
        protocols::Entity::find_by_id(&sha256).one(store.reader()).await.map_err(StoreError::from).map_err(failed)?;
    let row = row.ok_or_else(no_such_protocol)?;
    Ok(([(CONTENT_TYPE, "application/toml")], row.toml).into_response())
}

/// What may be the hash of a protocol.
fn hash(text: String) -> Result<String, Problem> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == 64 && text.bytes().all(hexadecimal)).then_some(text).ok_or_else(no_such_protocol)
}

fn no_such_protocol() -> Problem {
    Problem::not_found("No protocol has this hash.")
}

/// Takes the TOML text in the body. The same text again is answered alike.
async fn bring(State(store): State<Store>, author: Identity, toml: String) -> Result<Response, Problem> {
    let reference = activation::bring(&store, author.subject, toml).await?;
    let body = json!({ "sha256": reference.sha256, "id": reference.id, "version": reference.version });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// What the backtest over past records showed: the figures that the approver has read.
    backtest: String,
}

async fn activate(
    State(store): State<Store>,
    Path(sha256): Path<String>,
    approver: Identity,
    Body(approval): Body<Approval>,
) -> Result<StatusCode, Problem> {
    activation::activate(&store, hash(sha256)?, approver.subject, approval.backtest).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ActivationError> for Problem {
    fn from(error: ActivationError) -> Self {
        let said = format!("{error}.");
        match error {
            ActivationError::Unsound(faults) => Self::refused(
                faults.into_iter().map(|fault| Fault { pointer: String::new(), reason: fault.to_string() }),
            ),
            ActivationError::Unknown => Self::not_found(said),
            ActivationError::NoBacktest => {
                Self::refused([Fault { pointer: "/backtest".to_owned(), reason: error.to_string() }])
            }
            ActivationError::OwnWork | ActivationError::ActiveAlready => Self::conflict("activation", said),
            ActivationError::Store(error) => failed(error),
        }
    }
}
