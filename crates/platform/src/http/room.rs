//! Who is let in: requests that can be understood, as many at once as there are places.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Version;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::health;
use super::listener::{Arrived, urgent};
use super::problem::Problem;
use super::server::Limits;

/// The places of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Room {
    common: Arc<Semaphore>,
    kept: Arc<Semaphore>,
}

impl Room {
    pub(super) fn of(limits: Limits) -> Self {
        let places = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { common: places(limits.at_once), kept: places(limits.kept) }
    }

    fn place(&self, request: &Request) -> Option<OwnedSemaphorePermit> {
        let common = self.common.clone().try_acquire_owned().ok();
        let kept = || self.kept.clone().try_acquire_owned().ok();
        common.or_else(|| urgent(request.method(), request.uri().path()).then(kept).flatten())
    }
}

/// Turns away what finds no place.
pub(super) async fn admit(State(room): State<Room>, request: Request, next: Next) -> Result<Response, Problem> {
    let _place = room.place(&request).ok_or_else(overloaded)?;
    Ok(next.run(request).await)
}

/// Turns away what nobody can understand, and what came over a connection that is kept for something else.
pub(super) async fn understand(request: Request, next: Next) -> Result<Response, Problem> {
    if request.uri().path_and_query().is_some_and(|address| address.as_str().contains("%00")) {
        return Err(Problem::bad_request(
            "The address holds a NUL character (%00), and nothing bears one in its name.",
        ));
    }
    let Some(arrived) = request.extensions().get::<Arrived>() else { return Ok(next.run(request).await) };
    let path = request.uri().path();
    if arrived.urgent_only && !urgent(request.method(), path) && !health::PATHS.contains(&path) {
        return Err(overloaded());
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    let needed = usize::from(request.version() == Version::HTTP_11);
    if !(needed..=1).contains(&hosts) {
        return Err(Problem::bad_request(format!("The request has {hosts} Host headers. Send exactly one.")));
    }
    Ok(next.run(request).await)
}

fn overloaded() -> Problem {
    Problem::unavailable("Too many requests are under way. Try again in a second.")
}
