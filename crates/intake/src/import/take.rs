//! Writing one record: its episode, submissions and adjudications in one unit, with an event for each that is new.

use lasegue_contracts::event::Lane;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Adjudication, Decision, Registration, Submission};
use sea_orm::prelude::Uuid;

use super::{Imported, Outcome, Taken};
use crate::adjudicate::{self, Signed};
use crate::change;
use crate::document::{Document, Refs};
use crate::error::IntakeError;
use crate::json;
use crate::register;
use crate::store::{episodes, submissions};
use crate::submit::{self, Accepted, Superseded};

/// Takes a valid record, whole or not at all.
pub(super) async fn take(store: &Store, imported: Imported) -> Result<Outcome, IntakeError> {
    retry_conflicts(|| {
        let imported = imported.clone();
        store.commit(move |unit| Box::pin(take_in(unit, imported)))
    })
    .await
}

async fn take_in(unit: &mut Unit, Imported { record, surroundings, refs }: Imported) -> Result<Outcome, IntakeError> {
    let registration = Registration { patient: record.patient, episode: record.episode };
    let (episode, mut news) = settle_episode(unit, Document { registration, surroundings }, refs).await?;
    let mut taken = Taken { episode, submissions: Vec::new(), adjudications: Vec::new() };
    for (index, submission) in record.submissions.into_iter().enumerate() {
        let inserted = submit::insert(unit, Lane::Bulk, accepted(episode, submission), None).await;
        let (id, new) = inserted.map_err(|error| at_submission(index, error))?;
        taken.submissions.push(id);
        news |= new;
    }
    for adjudication in record.adjudications {
        let (id, new) = adjudicate::insert(unit, Lane::Bulk, signed(episode, adjudication)).await?;
        taken.adjudications.push(id);
        news |= new;
    }
    Ok(if news { Outcome::Accepted(taken) } else { Outcome::Known(taken) })
}

/// Says which submission of the record it was.
fn at_submission(index: usize, error: IntakeError) -> IntakeError {
    match error {
        IntakeError::IdReused => {
            let reason = "was accepted with another content: to correct it, add a new id that supersedes this one";
            json::fault(&format!("/submissions/{index}/id"), reason).into()
        }
        other => other,
    }
}

/// The episode of a record, registered or brought up to date, and whether that changed anything. What the last import
/// said already is no news: it must not undo what people have changed since.
async fn settle_episode(unit: &mut Unit, document: Document, refs: Refs) -> Result<(Uuid, bool), IntakeError> {
    let hash = json::hash(json::canonical(json::of(&document)).as_bytes());
    let Some(known) = episodes::find_by_refs(unit.db(), &refs).await? else {
        return Ok((register::insert(unit, Lane::Bulk, document, Some(refs), Some(hash)).await?, true));
    };
    let id = known.id;
    if known.imported_hash.as_ref() == Some(&hash) {
        return Ok((id, false));
    }
    let before = known.document()?;
    let surroundings = document.surroundings.or(before.surroundings.clone());
    let document = Document { surroundings, ..document };
    let news = document != before;
    if news {
        change::update(unit, Lane::Bulk, known, document, Some(refs), Some(hash)).await?;
    }
    Ok((id, news))
}

/// A record's submission. What it replaces is in the same record, by the sender's id.
fn accepted(episode: Uuid, submission: Submission) -> Accepted {
    let supersedes = submission
        .supersedes
        .as_ref()
        .map(|name| Superseded { id: submissions::id_of(episode, name), sender_id: name.0.clone() });
    Accepted { episode, submission, supersedes }
}

fn signed(episode: Uuid, adjudication: Adjudication) -> Signed {
    let voids = match &adjudication.decision {
        Decision::Void { submission } => Some(submissions::id_of(episode, submission)),
        Decision::Disposition { .. } | Decision::Longstanding { .. } => None,
    };
    Signed { episode, adjudication, voids }
}
