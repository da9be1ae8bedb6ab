//! What people did to dead letters: who, in which role, when, and what came of it. Kept for good; it says nothing of what
//! the messages say.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};

use crate::auth::Identity;
use crate::store::{StoreError, Unit};

/// Actions of one letter that are shown: the latest.
const SHOWN: u64 = 100;

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter_actions")]
pub struct Model {
    /// Counts up.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// To which letter.
    pub letter: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as the token says.
    pub by: String,
    /// In which role.
    pub role: String,
    /// `read`, `replay` or `drop`.
    pub action: String,
    /// What came of it, or why it was done.
    pub outcome: String,
}

/// Actions name their letter by its id alone: they stay when it is forgotten.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes down what `who` did.
pub(crate) async fn note(
    unit: &Unit,
    letter: Uuid,
    who: &Identity,
    action: &str,
    outcome: &str,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        number: ActiveValue::NotSet,
        letter: ActiveValue::Set(letter),
        at: ActiveValue::Set(unit.now()),
        by: ActiveValue::Set(who.subject.clone()),
        role: ActiveValue::Set(who.role.name().to_owned()),
        action: ActiveValue::Set(action.to_owned()),
        outcome: ActiveValue::Set(outcome.to_owned()),
    };
    Entity::insert(row).exec(unit.db()).await?;
    Ok(())
}

/// What was done to a letter, the latest first.
pub(crate) async fn of_letter(db: &impl ConnectionTrait, letter: Uuid) -> Result<Vec<Model>, DbErr> {
    let found = Entity::find().filter(Column::Letter.eq(letter)).order_by_desc(Column::Number);
    found.limit(SHOWN).all(db).await
}
