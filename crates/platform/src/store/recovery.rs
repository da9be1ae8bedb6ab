//! After every connection: which published rows the transport may have lost, so that they are owed again.
//!
//! The outbox is the truth: it remembers which incarnation of each stream it published to, and each row's place in it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use super::{Store, StoreError, outbox};
use crate::bus::Holding;

/// How often the transport writes to disk what it has acknowledged: a power cut loses what came since.
const SYNC_INTERVAL: Duration = Duration::from_mins(2);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "streams")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    created_nanos: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which published rows are owed again.
#[derive(Debug, PartialEq, Eq)]
enum Again {
    /// All that are kept: the stream is new or lost its tail.
    All,
    /// Those published since: the server may have acknowledged them and lost them with its power.
    Since(DateTime<Utc>),
}

/// `known` is the incarnation published to before, `highest` the last place of a published row.
fn decide(known: Option<&str>, highest: Option<u64>, holding: &Holding, now: DateTime<Utc>) -> Again {
    let same = known == Some(holding.created_nanos.as_str());
    if same && highest.is_none_or(|highest| highest <= holding.last_sequence) {
        Again::Since(now - 2 * SYNC_INTERVAL)
    } else {
        Again::All
    }
}

/// Makes owed again what each holding may lack.
pub(super) async fn recover(store: &Store, holdings: Vec<Holding>) -> Result<(), StoreError> {
    for holding in holdings {
        let (service, name) = (store.service(), holding.stream.name);
        let rows = store.commit(move |unit| Box::pin(async move { owe_again(unit.db(), &holding, unit.now()).await }));
        let rows: u64 = rows.await?;
        if rows > 0 {
            tracing::info!(%service, stream = name, rows, "events are published again after a new connection");
        }
    }
    Ok(())
}

async fn owe_again(db: &impl ConnectionTrait, holding: &Holding, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let name = holding.stream.name;
    let known = Entity::find_by_id(name.to_owned()).one(db).await?;
    let highest = outbox::highest_sequence(db, holding.stream).await?;
    let known = known.as_ref().map(|row| row.created_nanos.as_str());
    let since = match decide(known, highest, holding, now) {
        Again::All => None,
        Again::Since(instant) => Some(instant),
    };
    let row = ActiveModel {
        name: ActiveValue::Set(name.to_owned()),
        created_nanos: ActiveValue::Set(holding.created_nanos.clone()),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Name).update_column(Column::CreatedNanos).to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(outbox::owe_again(db, holding.stream, since).await?)
}

#[cfg(test)]
mod tests {
    use lasegue_contracts::topology::VISITS;

    use super::*;

    fn holding(last_sequence: u64) -> Holding {
        Holding { stream: &VISITS, created_nanos: "7".to_owned(), last_sequence }
    }

    #[test]
    fn a_stream_as_known_is_given_again_what_a_power_cut_could_have_cost() {
        let now = DateTime::UNIX_EPOCH + Duration::from_hours(1);
        let again = Again::Since(now - Duration::from_mins(4));
        assert_eq!(decide(Some("7"), Some(10), &holding(10), now), again);
        assert_eq!(decide(Some("7"), None, &holding(0), now), again);
    }

    #[test]
    fn a_new_stream_and_one_without_its_tail_are_given_everything() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(decide(None, None, &holding(0), now), Again::All);
        assert_eq!(decide(Some("6"), Some(1), &holding(10), now), Again::All);
        assert_eq!(decide(Some("7"), Some(11), &holding(10), now), Again::All);
    }
}
