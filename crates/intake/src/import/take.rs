//! Writing one record: its episode, submissions and adjudications in one unit, with one event for all that is new.
//!
//! Rows and messages are made before the unit begins: it holds the writer only for a few statements of many rows each.

use lasegue_contracts::event::Lane;
use lasegue_platform::audit::Deed;
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use lasegue_protocol::record::Registration;
use sea_orm::prelude::Uuid;

use super::prepared::Prepared;
use super::{Imported, Outcome, ahead};
use crate::change;
use crate::document::{Document, Refs};
use crate::error::IntakeError;
use crate::json;
use crate::messages::imported::{self, News};
use crate::store::{adjudications, episodes, refusals, submissions};
use crate::submit::{self, By};
use crate::{adjudicate, register, room};

/// Takes a valid record, whole or not at all.
pub(super) async fn take(
    store: &Store,
    Imported { mut record, surroundings, refs }: Imported,
    sender: &str,
) -> Result<Outcome, IntakeError> {
    let now = store.clock().now();
    record.adjudications.iter_mut().for_each(|signed| adjudicate::stamp(signed, now));
    let registration = Registration { patient: record.patient.clone(), episode: record.episode.clone() };
    let document = Document { registration, surroundings };
    retry_conflicts(|| async {
        let known = whose(store, &refs).await?;
        let episode = known.unwrap_or_else(|| store.random().id(now));
        let prepared = Prepared::of(episode, &record);
        let is_ahead = known.is_none() && ahead::is_for(&prepared);
        if is_ahead {
            ahead::write(store, &prepared).await?;
        }
        let (document, refs, sender) = (document.clone(), refs.clone(), sender.to_owned());
        store.commit(move |unit| Box::pin(take_in(unit, (prepared, is_ahead), document, refs, sender))).await
    })
    .await
}

/// The id of the episode that the record is about: its own, or the one kept for it; none when nothing is known of it.
async fn whose(store: &Store, refs: &Refs) -> Result<Option<Uuid>, IntakeError> {
    if let Some(known) = episodes::find_by_refs(store.reader(), refs).await? {
        return Ok(Some(known.id));
    }
    Ok(refusals::kept_id(store.reader(), refs).await?)
}

/// Writes what is new of a record; of one that `is_ahead` all pieces are there.
async fn take_in(
    unit: &mut Unit,
    (prepared, is_ahead): (Prepared, bool),
    document: Document,
    refs: Refs,
    sender: String,
) -> Result<Outcome, IntakeError> {
    let episode = prepared.episode;
    let Settled { news, blocks, unheard_of } = settle_episode(unit, episode, &document, refs).await?;
    let taken = prepared.taken.clone();
    let fresh = if unheard_of { prepared } else { fresh(unit, prepared, &sender).await? };
    let news = news || !fresh.pieces().is_none();
    let (reported, submitted): (Vec<_>, Vec<_>) = fresh.submissions.into_iter().unzip();
    let (signatures, adjudicated): (Vec<_>, Vec<_>) = fresh.adjudications.into_iter().unzip();
    if is_ahead {
        ahead::end(unit, episode).await?;
    } else {
        submissions::keep(unit.db(), reported).await?;
        adjudications::keep(unit.db(), signatures).await?;
    }
    let blocks = blocks.map(|version| (version, &document.registration));
    let told = News { adjudications: adjudicated, submissions: submitted };
    for event in imported::events(episode, blocks, told) {
        unit.publish(Lane::Bulk, episode, &event).await?;
    }
    Ok(if news { Outcome::Accepted(taken) } else { Outcome::Known(taken) })
}

/// What of a record is new to its episode, and fits into it. What was refused of it before is corrected.
async fn fresh(unit: &mut Unit, prepared: Prepared, sender: &str) -> Result<Prepared, IntakeError> {
    let known = submissions::known(unit.db(), &prepared.taken.submissions).await?;
    prepared.contradiction(&known)?;
    let known_signed = adjudications::known(unit.db(), &prepared.taken.adjudications).await?;
    let fresh = prepared.without(&known, &known_signed);
    if !fresh.pieces().is_none() {
        room::check(unit, fresh.episode, fresh.pieces()).await?;
    }
    submit::correct(unit, fresh.episode, &fresh.names(), By { sender, key: None }).await?;
    Ok(fresh)
}

/// What an import made of its episode.
struct Settled {
    /// It is new, or something of it is.
    news: bool,
    /// The version of the patient and episode blocks, when the others have to hear of them.
    blocks: Option<i64>,
    /// Nothing was ever known of it, and nothing refused.
    unheard_of: bool,
}

/// The episode of a record, registered or brought up to date. What the last import said already is no news: it must not
/// undo what people have changed since.
async fn settle_episode(unit: &Unit, id: Uuid, document: &Document, refs: Refs) -> Result<Settled, IntakeError> {
    let hash = json::hash(json::canonical(json::of(document)).as_bytes());
    let Some(known) = episodes::find_by_refs(unit.db(), &refs).await? else {
        let kept = refusals::kept_id(unit.db(), &refs).await?;
        if kept.is_some_and(|kept| kept != id) {
            return Err(StoreError::Conflict.into());
        }
        register::write(unit, id, document, Some(refs), Some(hash)).await?;
        unit.account_part(Deed::about(id)).await?;
        return Ok(Settled { news: true, blocks: Some(1), unheard_of: kept.is_none() });
    };
    if known.id != id {
        return Err(StoreError::Conflict.into());
    }
    if known.imported_hash.as_ref() == Some(&hash) {
        return Ok(Settled { news: false, blocks: None, unheard_of: false });
    }
    let before = known.document()?;
    let surroundings = document.surroundings.clone().or(before.surroundings.clone());
    let document = Document { registration: document.registration.clone(), surroundings };
    if document == before {
        return Ok(Settled { news: false, blocks: None, unheard_of: false });
    }
    let same_blocks = json::of(&document.registration) == known.blocks;
    let version = change::update(unit, &known, &document, Some(refs), Some(hash)).await?;
    unit.account_part(Deed::about(id).changing(&json::of(&before), &json::of(&document))).await?;
    Ok(Settled { news: true, blocks: (!same_blocks).then_some(version), unheard_of: false })
}
