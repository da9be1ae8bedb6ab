//! Writes down what has left, and what could not.

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::super::outbox::Outgoing;
use super::super::{Store, StoreError, outbox};
use super::refused;

/// Marks that wait, and the most that one commit writes.
pub(super) const MARKS: usize = 512;

/// What became of a row.
#[derive(Debug)]
pub(super) enum Mark {
    Published(outbox::Published),
    GivenBack(i64),
    /// The transport never takes it, and says why.
    Refused(Outgoing, String),
}

/// Writes down which rows are done, many in one commit.
pub(super) async fn mark(store: Store, mut marks: mpsc::Receiver<Mark>) {
    let mut batch = Vec::with_capacity(MARKS);
    while marks.recv_many(&mut batch, MARKS).await > 0 {
        let now: DateTime<Utc> = store.clock().now();
        let (published, given_back, refused) = sort(std::mem::take(&mut batch));
        let marked: Result<(), StoreError> = store
            .background()
            .commit(move |unit| {
                Box::pin(async move {
                    for (outgoing, reason) in refused {
                        refused::put_aside(unit, outgoing, &reason).await?;
                    }
                    refused::settle(unit, &published).await?;
                    if !published.is_empty() {
                        outbox::mark_published(unit.db(), published, now).await?;
                    }
                    if !given_back.is_empty() {
                        outbox::give_back(unit.db(), given_back).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if let Err(error) = marked {
            tracing::warn!(service = %store.service(), error = crate::chain(&error), "published events could not be marked: they are published again");
        }
    }
}

type Sorted = (Vec<outbox::Published>, Vec<i64>, Vec<(Outgoing, String)>);

fn sort(marks: Vec<Mark>) -> Sorted {
    let (mut published, mut given_back, mut refused) = Sorted::default();
    for mark in marks {
        match mark {
            Mark::Published(row) => published.push(row),
            Mark::GivenBack(row) => given_back.push(row),
            Mark::Refused(outgoing, reason) => refused.push((outgoing, reason)),
        }
    }
    (published, given_back, refused)
}
