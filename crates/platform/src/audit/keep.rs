//! Keeping a row that no unit of work takes along. When the database does not, a line of the log stands for it.

use std::time::Duration;

use uuid::Uuid;

use super::Entry;
use crate::chain;
use crate::store::{Store, StoreError};

/// How long an answer waits for its row before that is told in the log instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps `entry`. It gives way to what is live: no emergency waits for it.
pub(super) async fn keep(store: Store, entry: Entry) {
    let (row, background) = (entry.clone(), store.background());
    let written = background.commit(move |unit| Box::pin(async move { row.write(unit).await }));
    let written = tokio::select! {
        written = written => written.map_err(|error: StoreError| chain(&error)),
        () = store.clock().sleep(PATIENCE) => Err(format!("a commit takes longer than {PATIENCE:?}")),
    };
    if let Err(error) = written {
        tell(&store, &entry, &error);
    }
}

fn tell(store: &Store, entry: &Entry, error: &str) {
    metrics::counter!("audit_rows_unwritten_total", "service" => store.service().name()).increment(1);
    let facts = entry.access.facts();
    let who = facts.who.as_ref();
    // What is no id may be anything that the caller wrote.
    let object: Option<Uuid> = entry.object().parse().ok();
    tracing::error!(
        target: "audit",
        service = %store.service(),
        subject = who.map(|(identity, _)| &*identity.subject),
        role = who.map(|(identity, _)| identity.role.name()),
        token = who.map(|(_, token)| token.to_string()),
        peer = %facts.peer,
        request = facts.request,
        method = facts.method,
        route = facts.route,
        object = object.map(|object| object.to_string()),
        status = entry.status.map(|status| status.as_u16()),
        reason = entry.reason,
        times = entry.times,
        error,
        "the audit did not take a row: this line stands for it"
    );
}
