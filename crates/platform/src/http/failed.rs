//! The answer when the store failed: whether trying again helps, and never more certainty than there is.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};

use super::Problem;
use crate::store::StoreError;

/// The problem that `error` is for the caller; its cause goes to the log. It says nothing about what was stored, for a
/// request may be more than one commit.
pub fn failed(error: impl Into<StoreError>) -> Problem {
    let error = error.into();
    match error {
        StoreError::Closed => Problem::unavailable("The service is shutting down. Try again soon."),
        StoreError::Conflict => Problem::unavailable("Somebody else changed this at the same time. Try again."),
        StoreError::Unavailable(_) => {
            log(&error);
            Problem::unavailable(
                "The database cannot be read or written now. Send this again, under the same Idempotency-Key.",
            )
        }
        StoreError::Unknown(_) => {
            log(&error);
            unknown()
        }
        _ => {
            log(&error);
            Problem::internal()
        }
    }
}

fn unknown() -> Problem {
    let title = "It is not known whether this was stored";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "outcome-unknown", title)
        .detail("It may or may not have been stored. Sending it again under the same Idempotency-Key is safe.")
        .header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn log(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "the database failed");
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use sea_orm::{ConnAcquireErr, DbErr};

    use super::*;

    #[test]
    fn whatever_a_database_fails_with_that_passes_says_when_to_try_again() {
        let away = || DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        let passing = [StoreError::Closed, StoreError::Conflict, StoreError::from(away()), StoreError::Unknown(away())];
        for error in passing {
            let response = failed(error).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[RETRY_AFTER], "1");
        }
        assert_eq!(failed(StoreError::Panicked).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
