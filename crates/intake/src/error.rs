//! Everything that can go wrong in intake, and the one place that makes HTTP of it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lasegue_contracts::Service;
use lasegue_platform::http::{Problem, failed, problem};
use lasegue_platform::store::{AsStoreError, StoreError};
use lasegue_protocol::record::Fault;
use sea_orm::{DbErr, SqlErr};
use uuid::Uuid;

use crate::json::fault;

/// Why intake did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("the body is refused")]
    Faults(Vec<Fault>),
    #[error("the body is larger than {most} bytes")]
    TooLarge { most: usize },
    #[error("the body broke off on its way")]
    BrokenOff,
    #[error("the body did not arrive in time")]
    Stalled,
    #[error("a submission is sent by the method POST")]
    WrongMethod,
    #[error("the address of a submission is /api/v1/episodes/{{id}}/submissions, spelt like this")]
    Misaddressed,
    #[error("the idempotency key is missing or malformed")]
    Key(Problem),
    #[error("the idempotency key was used for another body")]
    KeyReused,
    #[error("the id was used for another content")]
    IdReused,
    #[error("the episode has {most} {what}, as many as one may have")]
    Full { most: usize, what: &'static str },
    #[error("there is no episode {0}")]
    NoEpisode(Uuid),
    #[error("the episode is registered already as {0}")]
    AlreadyRegistered(Uuid),
    #[error("the version seen is not the current one, {current}")]
    VersionPassed { current: i64 },
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<DbErr> for IntakeError {
    /// Two units that write the same new row side by side are a conflict: tried again, the second finds the first's.
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Store(StoreError::Conflict),
            _ => Self::Store(error.into()),
        }
    }
}

impl From<Fault> for IntakeError {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
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
    /// A stored value that cannot be read back; `what` says which, without its content.
    pub(crate) fn corrupt(what: String) -> Self {
        Self::Store(StoreError::Corrupt { service: Service::Intake, what })
    }

    /// What the sender sent wrongly. None when it was not the sender: then trying again may help.
    pub(crate) fn refusal(&self) -> Option<Vec<Fault>> {
        match self {
            Self::Store(_) => None,
            Self::Faults(faults) => Some(faults.clone()),
            other => Some(vec![fault("", other.to_string())]),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Faults(faults) => Self::refused(faults.into_iter().map(into_problem)),
            IntakeError::TooLarge { most } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large")
                    .detail(format!("A body has at most {most} bytes here."))
            }
            IntakeError::BrokenOff => Self::broken_off(),
            IntakeError::Stalled => Self::stalled(),
            IntakeError::WrongMethod => Self::wrong_method(),
            IntakeError::Misaddressed => Self::not_found(
                "No route answers at this address. Send submissions to `/api/v1/episodes/{id}/submissions`, spelt like this. \
                 What came is kept and was read for danger signs.",
            ),
            IntakeError::Key(problem) => problem,
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
            IntakeError::Full { most, what } => Self::conflict(
                "episode-full",
                format!(
                    "The episode has {most} {what}, as many as one may have: register a new episode for this patient \
                     and send it there."
                ),
            ),
            IntakeError::NoEpisode(id) => Self::not_found(format!("There is no episode {id}: register it first.")),
            IntakeError::AlreadyRegistered(id) => Self::conflict(
                "already-registered",
                "The sender's patient and episode are registered already: use that id.",
            )
            .with("id", id.to_string()),
            IntakeError::VersionPassed { current } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-passed",
                "The episode has changed since it was read",
            )
            .detail("Read it again, and send the change with the version that you then see.")
            .with("version", current),
            IntakeError::Store(error) => failed(error),
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
