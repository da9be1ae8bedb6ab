//! Episodes as they are registered, with how the patient is reached.

use chrono::{DateTime, Utc};
use lasegue_protocol::record::{Registration, parse_registration};
use sea_orm::entity::prelude::*;

use crate::error::IntakeError;

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
    pub(crate) contact: Option<Json>,
    pub(crate) clinic: Option<String>,
    pub(crate) clinician: Option<String>,
    pub(crate) version: i64,
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
        parse_registration(&self.blocks).map_err(IntakeError::Faults)
    }
}

/// The episode `id`.
pub(crate) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, IntakeError> {
    Entity::find_by_id(id).one(db).await?.ok_or(IntakeError::NoEpisode(id))
}

/// The episode that the sender's ids name.
pub(crate) async fn find_by_refs(
    db: &impl ConnectionTrait,
    patient: Option<&str>,
    episode: Option<&str>,
) -> Result<Option<Model>, DbErr> {
    let (Some(patient), Some(episode)) = (patient, episode) else { return Ok(None) };
    Entity::find().filter(Column::PatientRef.eq(patient)).filter(Column::EpisodeRef.eq(episode)).one(db).await
}
