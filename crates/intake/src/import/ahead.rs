//! The pieces of a large new record, written ahead of their episode and a few at a time, so that no unit is long.
//!
//! They stand under an id that nobody else knows and that no episode has yet: nobody can see them. The unit that writes the
//! episode makes all of them visible. What an import left that broke off is removed a day later.

use lasegue_platform::store::{Store, Unit};
use sea_orm::prelude::Uuid;

use super::prepared::Prepared;
use crate::error::IntakeError;
use crate::store::{adjudications, ahead, submissions};

/// Pieces that one unit writes.
const AT_ONCE: usize = 250;

/// Some rows of one unit.
enum Rows {
    Submissions(Vec<submissions::Model>),
    Adjudications(Vec<adjudications::Model>),
}

/// Whether `prepared` is too much for one unit.
pub(super) fn is_for(prepared: &Prepared) -> bool {
    prepared.submissions.len() + prepared.adjudications.len() > AT_ONCE
}

/// Writes all pieces of a record whose episode is not there yet.
pub(super) async fn write(store: &Store, prepared: &Prepared) -> Result<(), IntakeError> {
    let episode = prepared.episode;
    store.commit(move |unit| Box::pin(async move { ahead::begin(unit.db(), episode, unit.now()).await })).await?;
    let submissions = prepared.submissions.chunks(AT_ONCE);
    let submissions = submissions.map(|some| Rows::Submissions(some.iter().map(|(row, _)| row.clone()).collect()));
    let adjudications = prepared.adjudications.chunks(AT_ONCE);
    let adjudications =
        adjudications.map(|some| Rows::Adjudications(some.iter().map(|(row, _)| row.clone()).collect()));
    for some in submissions.chain(adjudications) {
        store.commit(move |unit| Box::pin(async move { keep(unit, some).await })).await?;
    }
    Ok(())
}

/// Lets the pieces be those of an episode that is written in the same unit.
pub(super) async fn end(unit: &Unit, episode: Uuid) -> Result<(), IntakeError> {
    Ok(unit.expect_one(ahead::end(unit.db(), episode).await?)?)
}

async fn keep(unit: &Unit, some: Rows) -> Result<(), IntakeError> {
    match some {
        Rows::Submissions(rows) => submissions::keep(unit.db(), rows).await?,
        Rows::Adjudications(rows) => adjudications::keep(unit.db(), rows).await?,
    }
    Ok(())
}
