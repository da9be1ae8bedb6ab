//! Refused sign-ins: whoever has no token must not fill the disk. Of those from one address for one reason the first of each
//! minute is a row, and the others of that minute one more.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use super::keep::keep;
use super::{Access, Entry, Trail};
use crate::repeated::Seen;
use crate::store::Store;

/// Put into the answer to a call that a guard turned away, with the reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl Trail {
    /// What is to be kept of a refused sign-in at once.
    pub(super) fn first_refused(
        &self,
        access: Access,
        status: StatusCode,
        reason: &'static str,
        now: DateTime<Utc>,
    ) -> Option<Entry> {
        let kind = (access.facts().peer, reason);
        let entry = Entry::refused(access, status, reason);
        self.refused().note(kind, entry.clone(), now).then_some(entry)
    }
}

/// Keeps what was repeated in minutes that are over.
pub(super) async fn keep_repeated(store: &Store) {
    let over = store.trail().refused().take_over(store.clock().now());
    keep_all(store, over).await;
}

/// Keeps everything that is still to be written: nobody calls any more.
pub(super) async fn keep_rest(store: &Store) {
    store.trail().writing.close();
    store.trail().writing.wait().await;
    let rest = store.trail().refused().take_all();
    keep_all(store, rest).await;
}

async fn keep_all(store: &Store, repeated: Vec<Seen<Entry>>) {
    for Seen { first, more } in repeated {
        keep(store.clone(), Entry { times: more, ..first }).await;
    }
}
