//! Registering an episode, changing it, reading it back.

use lasegue_contracts::event::Lane;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Fault, Record, Registration, check_record, parse_episode_patch, parse_registration};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde_json::{Map, Value, json};

use crate::contact::Contact;
use crate::error::IntakeError;
use crate::ingest::{fault, not_in_future, take_text};
use crate::messages;
use crate::store::requests::Request;
use crate::store::{adjudications, episodes, submissions};

/// What a body says of an episode beside its blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) contact: Option<Contact>,
    pub(crate) clinic: Option<String>,
    pub(crate) clinician: Option<String>,
}

impl Surroundings {
    /// Takes them out of a body and leaves the blocks.
    pub(crate) fn take(fields: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Self {
        let contact = fields.remove("contact").and_then(|value| match Contact::parse(&value) {
            Ok(contact) => Some(contact),
            Err(found) => {
                faults.extend(found);
                None
            }
        });
        let (clinic, clinician) = (take_text(fields, "clinic", faults), take_text(fields, "clinician", faults));
        Self { contact, clinic, clinician }
    }
}

/// Registers the episode of `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn register(store: &Store, body: Value, request: Option<Request>) -> Result<Uuid, IntakeError> {
    let (registration, surroundings) = parse(body, store.clock().now())?;
    store.commit(move |unit| Box::pin(insert_once(unit, registration, surroundings, request))).await
}

async fn insert_once(
    unit: &mut Unit,
    registration: Registration,
    surroundings: Surroundings,
    request: Option<Request>,
) -> Result<Uuid, IntakeError> {
    if let Some(request) = &request
        && let Some(id) = request.answered(unit.db()).await?
    {
        return Ok(id);
    }
    let (patient, episode) = (registration.patient.id.clone(), registration.episode.id.clone());
    if let Some(known) = episodes::find_by_refs(unit.db(), patient.as_deref(), episode.as_deref()).await? {
        return Err(IntakeError::AlreadyRegistered(known.id));
    }
    let id = insert(unit, Lane::Live, registration, surroundings, (patient, episode)).await?;
    if let Some(request) = request {
        request.keep(unit.db(), id, unit.now()).await?;
    }
    Ok(id)
}

/// Writes a new episode and its event.
pub(crate) async fn insert(
    unit: &mut Unit,
    lane: Lane,
    registration: Registration,
    surroundings: Surroundings,
    (patient_ref, episode_ref): (Option<String>, Option<String>),
) -> Result<Uuid, IntakeError> {
    let id = unit.id();
    let row = episodes::ActiveModel {
        id: Set(id),
        patient_ref: Set(patient_ref),
        episode_ref: Set(episode_ref),
        blocks: Set(serde_json::to_value(&registration).unwrap_or_default()),
        contact: Set(surroundings.contact.map(|contact| serde_json::to_value(contact).unwrap_or_default())),
        clinic: Set(surroundings.clinic),
        clinician: Set(surroundings.clinician),
        version: Set(1),
        created_at: Set(unit.now()),
    };
    episodes::Entity::insert(row).exec_without_returning(unit.db()).await?;
    unit.publish(lane, id, &messages::registered(id, 1, &registration)).await?;
    Ok(id)
}

/// Merges `patch` over the episode `id` and gives the new version.
pub(crate) async fn patch(store: &Store, id: Uuid, patch: Value) -> Result<i64, IntakeError> {
    let Value::Object(fields) = patch else {
        return Err(IntakeError::Faults(vec![fault("", "must be an object with the fields to change")]));
    };
    retry_conflicts(|| patch_once(store, id, fields.clone())).await
}

async fn patch_once(store: &Store, id: Uuid, mut fields: Map<String, Value>) -> Result<i64, IntakeError> {
    let found = episodes::find(store.reader(), id).await?;
    let mut faults = Vec::new();
    let names = ["contact", "clinic", "clinician"];
    let given = names.map(|name| fields.contains_key(name));
    let surroundings = Surroundings::take(&mut fields, &mut faults);
    let registration = match parse_episode_patch(&found.registration()?, &Value::Object(fields)) {
        Ok(registration) => Some(registration),
        Err(found) => {
            faults.extend(found);
            None
        }
    };
    faults.extend(registration.iter().flat_map(|registration| check(registration, store.clock().now())));
    let Some(registration) = registration.filter(|_| faults.is_empty()) else {
        return Err(IntakeError::Faults(faults));
    };
    store.commit(move |unit| Box::pin(update(unit, found, registration, surroundings, given))).await
}

async fn update(
    unit: &mut Unit,
    found: episodes::Model,
    registration: Registration,
    surroundings: Surroundings,
    [contact, clinic, clinician]: [bool; 3],
) -> Result<i64, IntakeError> {
    let (id, read) = (found.id, found.version);
    let mut row = episodes::ActiveModel {
        blocks: Set(serde_json::to_value(&registration).unwrap_or_default()),
        version: Set(read + 1),
        ..Default::default()
    };
    if contact {
        row.contact = Set(surroundings.contact.map(|contact| serde_json::to_value(contact).unwrap_or_default()));
    }
    if clinic {
        row.clinic = Set(surroundings.clinic);
    }
    if clinician {
        row.clinician = Set(surroundings.clinician);
    }
    let updated = episodes::Entity::update_many()
        .set(row)
        .filter(episodes::Column::Id.eq(id))
        .filter(episodes::Column::Version.eq(read))
        .exec(unit.db())
        .await?;
    unit.expect_one(updated.rows_affected)?;
    unit.publish(Lane::Live, id, &messages::updated(id, read + 1, &registration)).await?;
    Ok(read + 1)
}

/// Everything known of an episode, for those who may see it.
pub(crate) async fn read(store: &Store, id: Uuid) -> Result<Value, IntakeError> {
    let episode = episodes::find(store.reader(), id).await?;
    let submissions = submissions::of_episode(store.reader(), id).await?;
    let adjudications = adjudications::of_episode(store.reader(), id).await?;
    let submissions: Vec<_> = submissions.iter().map(summary).collect();
    let adjudications: Vec<_> = adjudications.into_iter().map(|row| row.body).collect();
    let mut document = json!({
        "id": id,
        "version": episode.version,
        "contact": episode.contact,
        "clinic": episode.clinic,
        "clinician": episode.clinician,
        "submissions": submissions,
        "adjudications": adjudications,
    });
    if let (Value::Object(document), Value::Object(blocks)) = (&mut document, episode.blocks) {
        document.extend(blocks);
    }
    Ok(document)
}

fn summary(row: &submissions::Model) -> Value {
    json!({
        "id": row.id,
        "sender_id": row.sender_id,
        "author": row.body["author"],
        "assessed_at": row.assessed_at,
        "received_at": row.received_at,
        "supersedes": row.body["supersedes"],
    })
}

/// Parses a whole body, with all its faults at once.
fn parse(body: Value, now: chrono::DateTime<chrono::Utc>) -> Result<(Registration, Surroundings), IntakeError> {
    let Value::Object(mut fields) = body else {
        return Err(IntakeError::Faults(vec![fault("", "must be an object with `patient` and `episode`")]));
    };
    let mut faults = Vec::new();
    let surroundings = Surroundings::take(&mut fields, &mut faults);
    match parse_registration(&Value::Object(fields)) {
        Ok(registration) => {
            faults.extend(check(&registration, now));
            if faults.is_empty() { Ok((registration, surroundings)) } else { Err(IntakeError::Faults(faults)) }
        }
        Err(found) => {
            faults.extend(found);
            Err(IntakeError::Faults(faults))
        }
    }
}

/// What only the blocks together can show: dates in the future, a birth after the onset.
fn check(registration: &Registration, now: chrono::DateTime<chrono::Utc>) -> Vec<Fault> {
    let Registration { patient, episode } = registration.clone();
    let mut faults = check_record(&Record { patient, episode, submissions: Vec::new(), adjudications: Vec::new() });
    let midnight = |date: chrono::NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc();
    // A day begins up to fourteen hours earlier elsewhere.
    let ahead = now + chrono::TimeDelta::hours(14);
    let episode = &registration.episode;
    let mut dated = vec![
        ("/episode/onset_date".to_owned(), episode.onset_date),
        ("/episode/treatment_start".to_owned(), episode.treatment_start),
    ];
    dated.extend(
        episode.treatments.iter().enumerate().map(|(n, entry)| (format!("/episode/treatments/{n}/date"), entry.date)),
    );
    dated.extend(
        episode.imaging.iter().enumerate().map(|(n, entry)| (format!("/episode/imaging/{n}/date"), entry.date)),
    );
    faults.extend(dated.iter().filter_map(|(pointer, date)| not_in_future(pointer, midnight(*date), ahead)));
    faults
}
