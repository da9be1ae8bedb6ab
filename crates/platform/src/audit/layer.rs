//! What stands around every guarded route: no call is answered before its row is kept, and none that breaks off goes without.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::keep::keep;
use super::{Access, Deed, Entry, Refused, within};
use crate::store::Store;

/// Has `next` answer, and keeps who called.
pub(crate) async fn record(
    State(store): State<Store>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let access = Access::of(&request, params.ok().as_ref());
    let call = Call { store, open: Some(access.clone()) };
    let response = within(Some(access), next.run(request)).await;
    let refused = response.extensions().get::<Refused>().copied();
    call.answered(response.status(), refused).await;
    response
}

/// A call without an answer yet. Its caller may leave at any moment.
struct Call {
    store: Store,
    open: Option<Access>,
}

impl Call {
    async fn answered(mut self, status: StatusCode, refused: Option<Refused>) {
        let Some(access) = self.open.take() else { return };
        let known = access.is_known();
        let refused = refused.map(|refused| refused.0).or(access.refusal());
        let entry = match refused {
            Some(reason) if !known => {
                self.store.trail().first_refused(access, status, reason, self.store.clock().now())
            }
            Some(reason) => Some(Entry::refused(access, status, reason)),
            None if known && !access.is_kept() => Some(Entry::answered(access, status, Deed::default())),
            None => None,
        };
        if let Some(entry) = entry {
            // Its own task: the row is kept also when the caller does not wait for the answer.
            let kept = self.store.trail().writing.spawn(keep(self.store.clone(), entry).in_current_span());
            if let Err(error) = kept.await {
                tracing::error!(error = crate::chain(&error), "a row of the audit was not written");
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(access) = self.open.take().filter(|access| access.is_known() && !access.is_kept()) {
            let keeping = keep(self.store.clone(), Entry::broken_off(access));
            self.store.trail().writing.spawn(keeping.in_current_span());
        }
    }
}
