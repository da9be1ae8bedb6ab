//! Deliveries: what has to be sent, and who is sending it.
//!
//! `wake_at` is the one clock of a row: whoever moves it owns the row until then. A sender moves it on while it works;
//! when it dies, the row is due again and the next claim is marked as a possible duplicate.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, Condition, ExprTrait, QueryOrder, QuerySelect};

use crate::delivery::{DeliveryState, Failed, LAST_WAIT, Next};
use crate::ids::{AlertId, CaseId, ContactName, PageId};
use crate::on_call::OnCall;
use crate::page::Attempt;
use crate::plan::Line;
use crate::room::{Full, Place, Room};
use crate::store::{corrupt, pages};

/// A delivery's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
#[expect(clippy::struct_excessive_bools, reason = "each is a column, and no two of them exclude each other")]
pub struct Model {
    /// Its id, ordered by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The page that it delivers.
    pub page_id: Uuid,
    /// The page's case.
    pub case_id: Uuid,
    /// To whom.
    pub contact: String,
    /// About what: lines by alert.
    pub lines: Json,
    /// Whether it travels in the emergencies' lane.
    pub emergency: bool,
    /// How far it has come: a word of [`DeliveryState`].
    pub state: String,
    /// The place of its channel in the contact's list.
    pub channel: i32,
    /// When that channel's turn began.
    pub channel_since: ChronoDateTimeUtc,
    /// Attempts so far.
    pub attempts: i32,
    /// An earlier attempt may have arrived.
    pub possible_duplicate: bool,
    /// Since when its contact counts as unreachable; it is tried on all the same.
    pub unreached_since: Option<ChronoDateTimeUtc>,
    /// Nobody needs it any more; it ends with the attempt under way.
    pub recalled: bool,
    /// The sender that holds the lease.
    pub owner: Option<Uuid>,
    /// When somebody has to look at it: to send it, or because its sender went silent. None when it is done.
    pub wake_at: Option<ChronoDateTimeUtc>,
    /// Why the last attempt failed.
    pub cause: Option<String>,
    /// When it was queued.
    pub created_at: ChronoDateTimeUtc,
    /// Since when its contact has got nothing of what it is about.
    pub waits_since: Option<ChronoDateTimeUtc>,
    /// Its contact was told before of all that it is about.
    pub repeats: bool,
}

/// Deliveries stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How long a lease holds after the last sign of life of its owner.
pub const LEASE: TimeDelta = TimeDelta::seconds(2);

/// A delivery whose lease was won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The row, as it is now.
    pub row: Model,
    /// What the attempt is made of.
    pub attempt: Attempt,
}

/// Pages looked at for one that nobody has got.
const LOOKED_AT: u64 = 64;

/// Since when the oldest page about a patient waits of which nobody has got one.
pub async fn oldest_unpaged(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, StoreError> {
    let waiting = Entity::find().filter(Column::WakeAt.is_not_null()).filter(Column::Recalled.eq(false));
    let about_patients = waiting.filter(Column::CaseId.ne(CaseId::OPERATOR.0));
    for row in about_patients.order_by_asc(Column::WaitsSince).limit(LOOKED_AT).all(db).await? {
        let taken = [DeliveryState::Accepted, DeliveryState::Delivered].map(DeliveryState::word);
        let beside = Entity::find().filter(Column::CaseId.eq(row.case_id)).filter(Column::State.is_in(taken));
        if beside.filter(Column::CreatedAt.gte(row.waits_since())).one(db).await?.is_none() {
            return Ok(Some(row.waits_since()));
        }
    }
    Ok(None)
}

/// Calls back what is still to be sent about nothing but `settled` alerts.
pub(super) async fn recall(unit: &Unit, case: CaseId, settled: &BTreeSet<AlertId>) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    let waiting = Entity::find().filter(Column::CaseId.eq(case.0)).filter(Column::WakeAt.is_not_null());
    for row in waiting.all(unit.db()).await? {
        let lines = row.lines()?;
        let needed =
            lines.is_empty() || lines.iter().any(|(alert, line)| line.reason.only_tells() || !settled.contains(alert));
        if !needed {
            recall_one(unit, &row, None).await?;
        }
    }
    Ok(())
}

/// One that is under way ends with its attempt.
pub(super) async fn recall_one(unit: &Unit, row: &Model, cause: Option<&str>) -> Result<(), StoreError> {
    let mut change = ActiveModel { recalled: ActiveValue::Set(true), ..Default::default() };
    if row.state != DeliveryState::Sending.word() {
        change.state = ActiveValue::Set(DeliveryState::Recalled.word().to_owned());
        change.wake_at = ActiveValue::Set(None);
        change.cause = ActiveValue::Set(cause.or(row.cause.as_deref()).map(str::to_owned));
    }
    change_unclaimed(unit, row, change).await
}

/// Changes a row that no sender has claimed or left since it was read.
pub(super) async fn change_unclaimed(unit: &Unit, row: &Model, change: ActiveModel) -> Result<(), StoreError> {
    let same = Entity::update_many().set(change).filter(Column::Id.eq(row.id)).filter(Column::State.eq(&row.state));
    unit.expect_one(same.exec(unit.db()).await?.rows_affected)
}

/// Whether something of this lane is due at `now` that there is room for.
pub async fn is_due(
    db: &impl ConnectionTrait,
    emergency: bool,
    full: &Full,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(due(emergency, full, now).one(db).await?.is_some())
}

/// How long what is repeated lets what is new go first: no longer, for a lane may be full of new pages that nobody takes.
const YIELDS: TimeDelta = TimeDelta::seconds(20);

/// What is due: what says something new before what is repeated, then the longest due first. No row waits longer than a
/// retry may: one that seems to was written before the clock was set back.
fn due(emergency: bool, full: &Full, now: DateTime<Utc>) -> Select<Entity> {
    let due = Condition::any().add(Column::WakeAt.lte(now)).add(Column::WakeAt.gt(now + LAST_WAIT));
    let yields = Column::Repeats.eq(true).and(Column::WakeAt.gt(now - YIELDS));
    Entity::find()
        .filter(Column::Emergency.eq(emergency))
        .filter(due)
        .filter(has_room(full))
        .order_by_asc(yields)
        .order_by_asc(Column::WakeAt)
}

fn has_room(full: &Full) -> Condition {
    let mut room = Condition::all().add(Column::Contact.is_not_in(full.contacts.iter().map(String::as_str)));
    for (channel, contacts) in &full.channels {
        let others = Column::Contact.is_not_in(contacts.iter().map(String::as_str));
        room = room.add(Condition::any().add(Column::Channel.ne(*channel)).add(others));
    }
    room
}

/// When something of this lane that there is room for is due next.
pub async fn next_wake(
    db: &impl ConnectionTrait,
    emergency: bool,
    full: &Full,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let lane = Entity::find().filter(Column::Emergency.eq(emergency)).filter(Column::WakeAt.is_not_null());
    Ok(lane.filter(has_room(full)).order_by_asc(Column::WakeAt).one(db).await?.and_then(|row| row.wake_at))
}

/// Wins the leases of at most `most` due deliveries of a lane, in the order in which they go, as far as there is room for
/// them.
pub async fn claim(
    unit: &Unit,
    owner: Uuid,
    emergency: bool,
    most: u64,
    (mut room, on_call): (Room, &OnCall),
) -> Result<Vec<Claimed>, StoreError> {
    let due = due(emergency, &room.full(on_call), unit.now()).limit(most).all(unit.db()).await?;
    let mut claimed = Vec::with_capacity(due.len());
    for row in due {
        if room.take(&Place::of(on_call, row.contact(), row.channel)) {
            claimed.extend(claim_one(unit, owner, row).await?);
        }
    }
    Ok(claimed)
}

async fn claim_one(unit: &Unit, owner: Uuid, row: Model) -> Result<Option<Claimed>, StoreError> {
    let taken_over = row.state == DeliveryState::Sending.word();
    let seen = row.wake_at;
    let row = Model {
        state: DeliveryState::Sending.word().to_owned(),
        attempts: row.attempts.saturating_add(1),
        possible_duplicate: row.possible_duplicate || taken_over,
        owner: Some(owner),
        wake_at: Some(unit.now() + LEASE),
        ..row
    };
    let change = ActiveModel {
        state: ActiveValue::Set(row.state.clone()),
        attempts: ActiveValue::Set(row.attempts),
        possible_duplicate: ActiveValue::Set(row.possible_duplicate),
        owner: ActiveValue::Set(row.owner),
        wake_at: ActiveValue::Set(row.wake_at),
        ..Default::default()
    };
    let won = Entity::update_many().set(change).filter(Column::Id.eq(row.id)).filter(Column::WakeAt.eq(seen));
    if won.exec(unit.db()).await?.rows_affected == 0 {
        return Ok(None);
    }
    let attempt = Attempt {
        page: PageId(row.page_id),
        lines: row.lines()?,
        number: pages::count_attempt(unit, row.page_id).await?,
        possible_duplicate: row.possible_duplicate,
    };
    Ok(Some(Claimed { row, attempt }))
}

/// A sign of life: keeps the leases of `owner` on what it has `under_way`.
pub async fn keep_leases(unit: &Unit, owner: Uuid, under_way: BTreeSet<Uuid>) -> Result<(), StoreError> {
    let change = ActiveModel { wake_at: ActiveValue::Set(Some(unit.now() + LEASE)), ..Default::default() };
    let mine = Entity::update_many().set(change).filter(Column::Id.is_in(under_way)).filter(Column::Owner.eq(owner));
    mine.filter(Column::State.eq(DeliveryState::Sending.word())).exec(unit.db()).await?;
    Ok(())
}

/// Notes that a delivery is done. False when the lease was lost meanwhile: somebody else sends it, marked.
pub async fn settle(unit: &Unit, row: &Model, state: DeliveryState, cause: Option<&str>) -> Result<bool, StoreError> {
    let change = ActiveModel {
        state: ActiveValue::Set(state.word().to_owned()),
        owner: ActiveValue::Set(None),
        wake_at: ActiveValue::Set(None),
        cause: ActiveValue::Set(cause.map(str::to_owned)),
        ..Default::default()
    };
    change_held(unit, row, change).await
}

/// Notes when and on which channel a delivery is tried again; one that was recalled or has failed is done. False as for
/// [`settle`].
pub async fn try_again(unit: &Unit, row: &Model, failed: &Failed, next: Next) -> Result<bool, StoreError> {
    let recalled = Entity::find_by_id(row.id).one(unit.db()).await?.is_some_and(|row| row.recalled);
    let (channel, wake_at, since) = match next {
        _ if recalled => return settle(unit, row, DeliveryState::Recalled, Some(failed.failure.word())).await,
        Next::Nothing => return settle(unit, row, DeliveryState::Failed, Some(failed.failure.word())).await,
        Next::Again(at) | Next::Unreached(at) => (row.channel, at, row.channel_since),
        Next::Channel(channel) => (i32::try_from(channel).unwrap_or(i32::MAX), unit.now(), unit.now()),
    };
    let change = ActiveModel {
        state: ActiveValue::Set(DeliveryState::FailedTemporarily.word().to_owned()),
        channel: ActiveValue::Set(channel),
        channel_since: ActiveValue::Set(since),
        possible_duplicate: ActiveValue::Set(row.possible_duplicate || failed.failure.may_have_arrived()),
        unreached_since: ActiveValue::Set(row.unreached_since.or(failed.is_news(next).then(|| unit.now()))),
        owner: ActiveValue::Set(None),
        wake_at: ActiveValue::Set(Some(wake_at)),
        cause: ActiveValue::Set(Some(failed.failure.word().to_owned())),
        ..Default::default()
    };
    change_held(unit, row, change).await
}

async fn change_held(unit: &Unit, row: &Model, change: ActiveModel) -> Result<bool, StoreError> {
    let held = Entity::update_many().set(change).filter(Column::Id.eq(row.id)).filter(Column::Owner.eq(row.owner));
    let held = held.filter(Column::Attempts.eq(row.attempts)).filter(Column::State.eq(DeliveryState::Sending.word()));
    Ok(held.exec(unit.db()).await?.rows_affected == 1)
}

impl Model {
    /// About what it is.
    pub fn lines(&self) -> Result<BTreeMap<AlertId, Line>, StoreError> {
        serde_json::from_value(self.lines.clone()).map_err(|_| corrupt(format!("delivery {}", self.id)))
    }

    /// The alerts that wait for whether it arrives; none when nobody needs it any more.
    pub fn awaited_by(&self) -> Result<Vec<AlertId>, StoreError> {
        if self.recalled { Ok(Vec::new()) } else { Ok(self.lines()?.into_keys().collect()) }
    }

    /// Since when its contact has got nothing of what it is about.
    pub(super) fn waits_since(&self) -> ChronoDateTimeUtc {
        self.waits_since.unwrap_or(self.created_at)
    }

    /// To whom it goes.
    pub fn contact(&self) -> ContactName {
        ContactName(self.contact.clone())
    }
}
