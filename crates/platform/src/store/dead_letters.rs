//! Messages that could not be understood, kept with their bytes until an operator has looked at them.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;

use crate::bus::Message;

/// A message set aside.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letters")]
pub struct Model {
    /// The dead letter's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The consumer that could not understand it.
    pub consumer: String,
    /// Where it travelled.
    pub subject: String,
    /// Its headers, as a JSON object.
    pub headers: Json,
    /// Its body.
    pub payload: Vec<u8>,
    /// Why it was set aside.
    pub reason: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Dead letters stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    id: Uuid,
    consumer: &str,
    message: &Message,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: ActiveValue::Set(id),
        consumer: ActiveValue::Set(consumer.to_owned()),
        subject: ActiveValue::Set(message.subject.clone()),
        headers: ActiveValue::Set(headers(message)),
        payload: ActiveValue::Set(message.payload.to_vec()),
        reason: ActiveValue::Set(reason.to_owned()),
        created_at: ActiveValue::Set(now),
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

fn headers(message: &Message) -> Json {
    message
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Json::String(value.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
