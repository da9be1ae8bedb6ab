//! Imports: one record a line in, one outcome a line out, in order.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use lasegue_platform::auth::Identity;
use lasegue_platform::background;
use lasegue_platform::store::Store;
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::error::IntakeError;
use crate::import::{self, Outcome};
use crate::json::fault;

/// Bytes of one request.
const MOST_BYTES: usize = 32 << 20;
/// Records of one request.
const MOST_RECORDS: usize = 1_000;
/// Records of one request that are taken side by side and so share commits.
const SIDE_BY_SIDE: usize = 16;
/// Requests that are taken at once; others wait. It keeps imports from crowding out what is live.
const AT_ONCE: usize = 2;

/// Lets large requests in, but only a few at once.
pub(super) fn limits() -> (GlobalConcurrencyLimitLayer, DefaultBodyLimit) {
    (GlobalConcurrencyLimitLayer::new(AT_ONCE), DefaultBodyLimit::max(MOST_BYTES))
}

/// Takes records. When the store fails the answer is an error although some were taken: the same request again is safe.
pub(super) async fn import(State(store): State<Store>, caller: Identity, body: Bytes) -> Result<Response, IntakeError> {
    let lines = lines(&body)?;
    let outcomes = background::run(async move { take(&store.background(), lines, &caller).await }).await?;
    let answer: String = outcomes.iter().map(|outcome| outcome.line().to_string() + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from(answer)).into_response())
}

/// Takes records and says what became of each, in their order.
async fn take(store: &Store, lines: Vec<Bytes>, caller: &Identity) -> Result<Vec<Outcome>, IntakeError> {
    let taking = lines.into_iter().map(|line| async move { import::import(store, &line, caller).await });
    stream::iter(taking).buffered(SIDE_BY_SIDE).try_collect().await
}

/// The lines of a body that hold something.
fn lines(body: &Bytes) -> Result<Vec<Bytes>, IntakeError> {
    let filled = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let lines: Vec<_> = filled.map(|line| body.slice_ref(line)).collect();
    if lines.len() > MOST_RECORDS {
        return Err(fault("", format!("holds {} records; send at most {MOST_RECORDS} at once", lines.len())).into());
    }
    Ok(lines)
}
