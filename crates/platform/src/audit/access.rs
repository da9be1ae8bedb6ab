//! One call: who makes it, from where, and what it asks for. It goes with the task that answers, into its units of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{MatchedPath, RawPathParams, Request};
use uuid::Uuid;

use crate::auth::{Authentication, Identity};
use crate::http::{Peer, RequestId, known};

/// Characters of what a path names; ids have fewer.
const LONGEST_OBJECT: usize = 200;

tokio::task_local! {
    static CURRENT: Access;
}

/// The call that the running task answers, if it is one.
pub(crate) fn current() -> Option<Access> {
    CURRENT.try_with(Access::clone).ok()
}

/// Runs `work` as a part of `access`.
pub(crate) async fn within<F: Future>(access: Option<Access>, work: F) -> F::Output {
    match access {
        Some(access) => CURRENT.scope(access, work).await,
        None => work.await,
    }
}

/// One call. Cheap to clone; all clones know whether its row is kept.
#[derive(Clone, Debug)]
pub struct Access(Arc<Facts>);

#[derive(Debug)]
pub(super) struct Facts {
    pub(super) who: Option<(Identity, Uuid)>,
    pub(super) peer: Peer,
    pub(super) request: String,
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) object: String,
    refusal: Option<&'static str>,
    kept: AtomicBool,
}

impl Access {
    pub(super) fn of(request: &Request, params: Option<&RawPathParams>) -> Self {
        let authentication = request.extensions().get::<Authentication>();
        let who = match authentication {
            Some(Authentication::Is(identity, token)) => Some((identity.clone(), *token)),
            _ => None,
        };
        Self(Arc::new(Facts {
            who,
            peer: Peer::of(request),
            request: RequestId::current().map(|id| id.to_string()).unwrap_or_default(),
            method: known(request.method()),
            route: request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned(),
            object: params.map(object).unwrap_or_default(),
            refusal: authentication.and_then(Authentication::refusal),
            kept: AtomicBool::new(false),
        }))
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.0
    }

    /// Why its token is not taken.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        self.0.refusal
    }

    /// Whether a token says who makes it.
    pub(super) fn is_known(&self) -> bool {
        self.0.who.is_some()
    }

    /// Its row was committed with what it changed.
    pub(crate) fn was_kept(&self) {
        self.0.kept.store(true, Ordering::Release);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.0.kept.load(Ordering::Acquire)
    }
}

/// What the places of the path hold, as far as it could be the id or name of something.
fn object(params: &RawPathParams) -> String {
    let plain = |value: &str| {
        value.len() <= LONGEST_OBJECT
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let shown: Vec<_> = params.iter().map(|(_, value)| if plain(value) { value } else { "other" }).collect();
    shown.join("/")
}
