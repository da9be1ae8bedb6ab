//! Everything that can go wrong in intake, and the one place that makes HTTP of it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lasegue_platform::http::Problem;
use lasegue_platform::http::problem;
use lasegue_platform::store::{AsStoreError, StoreError};
use lasegue_protocol::record::Fault;
use sea_orm::DbErr;
use uuid::Uuid;

/// Why intake did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("the body is refused")]
    Faults(Vec<Fault>),
    #[error("there is no episode {0}")]
    NoEpisode(Uuid),
    #[error("the episode is registered already as {0}")]
    AlreadyRegistered(Uuid),
    #[error("the idempotency key was used for another body")]
    KeyReused,
    #[error("the submission's id was used for another content")]
    IdReused,
    #[error("the request is not usable")]
    Request(Problem),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<DbErr> for IntakeError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl AsStoreError for IntakeError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl IntakeError {
    /// What is wrong with the body, if that is what went wrong.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Faults(faults) => faults.clone(),
            other => vec![Fault { pointer: String::new(), reason: other.to_string() }],
        }
    }

    /// Whether the sender's input was at fault, so that it belongs into quarantine.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Faults(_) | Self::KeyReused | Self::IdReused | Self::Request(_))
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Faults(faults) => Self::refused(faults.into_iter().map(into_problem)),
            IntakeError::NoEpisode(id) => Self::not_found(format!("There is no episode {id}: register it first.")),
            IntakeError::AlreadyRegistered(id) => Self::conflict(
                "already-registered",
                "The sender's patient and episode are registered already: use that id.",
            )
            .with("id", id.to_string()),
            IntakeError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key was used for another body",
            )
            .detail("A key stands for one body. Send a new key with a new body."),
            IntakeError::IdReused => Self::conflict(
                "id-reused",
                "This id was accepted with another content. To correct it, send a new id that `supersedes` this one.",
            ),
            IntakeError::Request(problem) => problem,
            IntakeError::Store(StoreError::Closed) => {
                Self::unavailable("The service is shutting down. Try again soon.")
            }
            IntakeError::Store(StoreError::Conflict) => {
                Self::unavailable("Somebody else changed this at the same time. Try again.")
            }
            IntakeError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "intake's database failed");
                Self::internal()
            }
        }
    }
}

fn into_problem(fault: Fault) -> problem::Fault {
    problem::Fault { pointer: fault.pointer, reason: fault.reason }
}

impl IntoResponse for IntakeError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
