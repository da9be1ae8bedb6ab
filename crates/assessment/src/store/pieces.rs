//! The pieces of the records: submissions and adjudications, each under its own id, never changed.

use std::fmt;

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pieces")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    /// The revision of the record that first had it; before it is kept, the least that this can be.
    pub(crate) revision: i64,
    /// Of a signature: the last revision that its signer can have seen, as its sender knows; none when it was signed
    /// elsewhere.
    pub(crate) seen: Option<i64>,
    /// It came with an import.
    pub(crate) imported: bool,
    /// As the public record has it.
    pub(crate) body: Json,
}

impl Model {
    /// The last revision that whoever signed can have seen: none that came with the signature or after it, whatever a
    /// clock says.
    pub(crate) fn seen(&self) -> Option<i64> {
        self.seen.map(|seen| seen.min(self.revision - 1))
    }
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub(crate) enum Kind {
    #[sea_orm(string_value = "submission")]
    Submission,
    #[sea_orm(string_value = "adjudication")]
    Adjudication,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submission => "submission",
            Self::Adjudication => "adjudication",
        })
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The pieces that an episode had at a revision, by id.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid, revision: i64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::Revision.lte(revision))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Rows of one statement: both databases count its values, and have a limit.
const ROWS: usize = 1_000;

/// Keeps pieces as new at `revision`.
pub(crate) async fn keep(db: &impl ConnectionTrait, pieces: Vec<Model>, revision: i64) -> Result<(), DbErr> {
    for some in pieces.chunks(ROWS) {
        let rows = some.iter().cloned().map(|piece| Model { revision, ..piece }.into_active_model());
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}
