//! Episodes as they are registered, with how the patient is reached.

use chrono::{DateTime, Utc};
use lasegue_protocol::record::Registration;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde_json::json;

use crate::document::{Document, Refs, Surroundings};
use crate::error::IntakeError;
use crate::json;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "episodes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The sender's ids, unique together when both are there.
    pub(crate) patient_ref: Option<String>,
    pub(crate) episode_ref: Option<String>,
    /// `{ "patient": ..., "episode": ... }` as the record has them.
    pub(crate) blocks: Json,
    /// `{ "contact": ..., "clinic": ..., "clinician": ... }`; in no event.
    pub(crate) surroundings: Json,
    /// Counts the changes.
    pub(crate) version: i64,
    /// What the last import said of the episode, hashed, so that the same import again changes nothing.
    pub(crate) imported_hash: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The patient and episode blocks.
    ///
    /// # Errors
    /// When the row was changed from outside so that they no longer parse.
    pub(crate) fn registration(&self) -> Result<Registration, IntakeError> {
        Registration::parse_kept(&self.blocks).map_err(|_| self.corrupt())
    }

    /// Everything registered.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) fn document(&self) -> Result<Document, IntakeError> {
        let mut faults = Vec::new();
        let (surroundings, rest) = Surroundings::take(self.surroundings.clone(), &mut faults);
        if !faults.is_empty() || rest != json!({}) {
            return Err(self.corrupt());
        }
        Ok(Document { registration: self.registration()?, surroundings })
    }

    fn corrupt(&self) -> IntakeError {
        IntakeError::corrupt(format!("episode {}", self.id))
    }
}

/// Whether an episode is registered.
pub(crate) async fn is_registered(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.is_some())
}

/// The columns that hold a document under the ids `refs`.
pub(crate) fn columns(document: &Document, refs: Option<Refs>) -> ActiveModel {
    let (patient, episode) = refs.map(|Refs { patient, episode }| (patient, episode)).unzip();
    ActiveModel {
        patient_ref: Set(patient),
        episode_ref: Set(episode),
        blocks: Set(json::of(&document.registration)),
        surroundings: Set(json::of(&document.surroundings)),
        ..Default::default()
    }
}

/// The episode `id`.
pub(crate) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, IntakeError> {
    Entity::find_by_id(id).one(db).await?.ok_or(IntakeError::NoEpisode(id))
}

/// The episode that the sender's ids name.
pub(crate) async fn find_by_refs(db: &impl ConnectionTrait, refs: &Refs) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PatientRef.eq(&refs.patient))
        .filter(Column::EpisodeRef.eq(&refs.episode))
        .one(db)
        .await
}
