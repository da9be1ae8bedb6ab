//! After every connection: which published rows the transport may have lost, so that they are owed again.
//!
//! The outbox is the truth: it remembers which incarnation of each stream it published to, and each row's place in it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::topology::Stream;
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use super::{Store, StoreError, outbox};
use crate::bus::{Bus, BusError, Holding, Tail};

/// How often the transport writes to disk what it has acknowledged: a power cut loses what came since.
const SYNC_INTERVAL: Duration = Duration::from_mins(2);
/// How often a stream is looked at anew because another replica settled it meanwhile.
const TRIES: usize = 8;

/// Why it could not be settled what the transport lost. Trying again may help.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecoveryError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
    /// None: the stream has the last one, and with it all that came before.
    Nothing,
    /// All that are kept: the stream is new or lost its tail.
    All,
    /// Those published since: the server may have acknowledged them and lost them with its power.
    Since(DateTime<Utc>),
}

/// `known` is the incarnation published to before.
fn decide(known: Option<&str>, holding: &Holding, now: DateTime<Utc>) -> Again {
    match holding.tail {
        _ if known != Some(holding.created_nanos.as_str()) => Again::All,
        Tail::Kept => Again::Nothing,
        Tail::Lost => Again::All,
        Tail::LetGo => Again::Since(now - 2 * SYNC_INTERVAL),
    }
}

/// Makes owed again what each stream of the store's service may lack. False when a stream is not there yet that another
/// service makes: it holds up no other, and has to be settled once it is.
pub(super) async fn recover(store: &Store, bus: &dyn Bus) -> Result<bool, RecoveryError> {
    let (service, mut all) = (store.service(), true);
    for stream in Stream::published_by(service) {
        let recovered = match retry(|| settle(store, bus, stream)).await {
            Err(RecoveryError::Bus(BusError::NotMade { .. })) => {
                all = false;
                continue;
            }
            recovered => recovered?,
        };
        if recovered > 0 {
            tracing::warn!(%service, stream = stream.name, rows = recovered, "the bus lost events: they are published again");
        }
    }
    Ok(all)
}

/// Whether a stream of the store's service is another than its rows were published to: somebody removed it.
pub(super) async fn is_another(store: &Store, bus: &dyn Bus) -> Result<bool, RecoveryError> {
    for stream in Stream::published_by(store.service()) {
        let known = incarnation(store.reader(), stream).await.map_err(StoreError::from)?;
        let holding = match bus.holding(store.service(), stream, None).await {
            Err(BusError::NotMade { .. }) => return Ok(known.is_some()),
            holding => holding?,
        };
        if holding.is_some_and(|holding| known.as_ref() != Some(&holding.created_nanos)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn retry<F>(mut settle: impl FnMut() -> F) -> Result<u64, RecoveryError>
where
    F: Future<Output = Result<u64, RecoveryError>>,
{
    for _ in 1..TRIES {
        match settle().await {
            Err(RecoveryError::Store(StoreError::Conflict)) => {}
            settled => return settled,
        }
    }
    settle().await
}

/// The database is read before the stream, which only grows: so what others publish meanwhile never looks like a loss.
async fn settle(store: &Store, bus: &dyn Bus, stream: &'static Stream) -> Result<u64, RecoveryError> {
    let known = incarnation(store.reader(), stream).await.map_err(StoreError::from)?;
    let last = outbox::last_published(store.reader(), stream).await.map_err(StoreError::from)?;
    let Some(holding) = bus.holding(store.service(), stream, last).await? else { return Ok(0) };
    if decide(known.as_deref(), &holding, store.clock().now()) == Again::Nothing {
        return Ok(0);
    }
    let owing = store.commit(move |unit| {
        Box::pin(async move { owe_again(unit.db(), known.as_deref(), stream, &holding, unit.now()).await })
    });
    Ok(owing.await?)
}

async fn incarnation(db: &impl ConnectionTrait, stream: &Stream) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(stream.name.to_owned()).one(db).await?.map(|row| row.created_nanos))
}

async fn owe_again(
    db: &impl ConnectionTrait,
    known: Option<&str>,
    stream: &Stream,
    holding: &Holding,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    if incarnation(db, stream).await?.as_deref() != known {
        return Err(StoreError::Conflict);
    }
    let since = match decide(known, holding, now) {
        Again::Nothing => return Ok(0),
        Again::All => None,
        Again::Since(instant) => Some(instant),
    };
    let row = ActiveModel {
        name: ActiveValue::Set(stream.name.to_owned()),
        created_nanos: ActiveValue::Set(holding.created_nanos.clone()),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Name).update_column(Column::CreatedNanos).to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(outbox::owe_again(db, stream, since).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(tail: Tail) -> Holding {
        Holding { created_nanos: "7".to_owned(), tail }
    }

    #[test]
    fn a_stream_that_has_the_last_event_is_given_nothing_again() {
        assert_eq!(decide(Some("7"), &holding(Tail::Kept), DateTime::UNIX_EPOCH), Again::Nothing);
    }

    #[test]
    fn a_stream_that_let_the_last_event_go_is_given_again_what_a_power_cut_could_have_cost() {
        let now = DateTime::UNIX_EPOCH + Duration::from_hours(1);
        assert_eq!(decide(Some("7"), &holding(Tail::LetGo), now), Again::Since(now - Duration::from_mins(4)));
    }

    #[test]
    fn a_new_stream_and_one_without_its_tail_are_given_everything() {
        for (known, tail) in [(None, Tail::Kept), (Some("6"), Tail::Kept), (Some("7"), Tail::Lost)] {
            assert_eq!(decide(known, &holding(tail), DateTime::UNIX_EPOCH), Again::All);
        }
    }
}
