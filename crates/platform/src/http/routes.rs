//! Routes that cannot be forgotten to guard: each says which roles may call it.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::problem::Problem;
use crate::audit::{self, Refused};
use crate::auth::{Authentication, Role};
use crate::store::Store;

/// A service's routes, each with the roles that may call it. The only way to offer a route.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    router: Router,
    paths: BTreeSet<String>,
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers at `path` to callers of `roles`; others get 401 or 403. Give the methods their state first.
    #[must_use]
    pub fn route(self, path: &str, roles: &'static [Role], methods: MethodRouter) -> Self {
        let guarded = methods.route_layer(middleware::from_fn_with_state(roles, guard));
        self.add(path, guarded)
    }

    /// As [`Self::route`], and guards the fallback of `methods` too: for where even a wrong method does something.
    #[must_use]
    pub fn route_with_fallback(self, path: &str, roles: &'static [Role], methods: MethodRouter) -> Self {
        let guarded = methods.layer(middleware::from_fn_with_state(roles, guard));
        self.add(path, guarded)
    }

    /// Answers at `path` to everybody, without a token. For pages and health, never for data.
    #[must_use]
    pub fn public(self, path: &str, methods: MethodRouter) -> Self {
        self.add(path, methods)
    }

    /// Passes calls of `path` on to another process, which knows the caller and guards what it does.
    #[must_use]
    pub fn elsewhere(self, path: &str, methods: MethodRouter) -> Self {
        self.add(path, methods)
    }

    /// Both together.
    #[must_use]
    pub fn merge(self, mut other: Self) -> Self {
        other.paths.extend(self.paths);
        Self { router: self.router.merge(other.router), paths: other.paths }
    }

    /// Keeps in the audit of `store`'s service who calls any of these routes, and what came of it. Give it all of them.
    #[must_use]
    pub fn audited(self, store: &Store) -> Self {
        let recording = middleware::from_fn_with_state(store.clone(), audit::record);
        Self { router: self.router.route_layer(recording), paths: self.paths }
    }

    /// Every path that is answered.
    pub fn paths(&self) -> &BTreeSet<String> {
        &self.paths
    }

    fn add(mut self, path: &str, methods: MethodRouter) -> Self {
        self.paths.insert(path.to_owned());
        Self { router: self.router.route(path, methods), paths: self.paths }
    }

    pub(super) fn into_router(self) -> Router {
        self.router
    }
}

async fn guard(State(roles): State<&'static [Role]>, mut request: Request, next: Next) -> Response {
    let authentication = request.extensions().get().cloned().unwrap_or(Authentication::Nobody);
    let reason = authentication.refusal().unwrap_or("no-token");
    match authentication.identity() {
        Ok(identity) if roles.contains(&identity.role) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Ok(identity) => turned_away("wrong-role", forbidden(identity.role, roles)),
        Err(problem) => turned_away(reason, problem),
    }
}

fn turned_away(reason: &'static str, problem: Problem) -> Response {
    let mut response = problem.into_response();
    response.extensions_mut().insert(Refused(reason));
    response
}

fn forbidden(role: Role, roles: &[Role]) -> Problem {
    let allowed: Vec<_> = roles.iter().map(|role| role.name()).collect();
    Problem::new(axum::http::StatusCode::FORBIDDEN, "forbidden", "The token's role may not do this").detail(format!(
        "The token is a {}'s; this needs one of: {}.",
        role.name(),
        allowed.join(", ")
    ))
}
