//! One unit of work inside a commit: what a service changes, and what follows from it.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::{Envelope, Event, Service};
use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::db::Db;
use super::outbox::{self, Outgoing};
use super::{Shared, StoreError, inbox, timers};
use crate::audit::{self, Access, Deed, Entry};
use crate::consume::Places;
use crate::random::SharedRandom;
use crate::telemetry::TraceContext;

/// One unit of work. Everything done through it commits together.
#[derive(Debug)]
pub struct Unit {
    db: Db,
    service: Service,
    now: DateTime<Utc>,
    random: SharedRandom,
    trace: TraceContext,
    places: Places,
    access: Option<Access>,
    effects: Effects,
}

/// Where a unit of work comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    trace: TraceContext,
    /// The places of the events that are being handled.
    places: Places,
    /// The call that is being answered.
    access: Option<Access>,
}

impl Origin {
    /// That of the running task.
    pub(super) fn current() -> Self {
        Self { trace: TraceContext::current(), places: Places::current(), access: audit::current() }
    }
}

/// What the store does once the unit is committed.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) timers_set: bool,
    /// The call whose row is in the unit.
    pub(super) accounted: Option<Access>,
}

impl Unit {
    pub(super) fn new(transaction: DatabaseTransaction, shared: &Shared, origin: Origin) -> Self {
        Self {
            db: Db::new(transaction, shared.damage.clone()),
            service: shared.service,
            now: shared.clock.now(),
            random: shared.random.clone(),
            trace: origin.trace,
            places: origin.places,
            access: origin.access,
            effects: Effects::default(),
        }
    }

    /// The transaction, what made it useless if anything did, and what follows from it.
    pub(super) fn into_parts(self) -> (DatabaseTransaction, Option<DbErr>, Effects) {
        let (transaction, lost) = self.db.into_parts();
        (transaction, lost, self.effects)
    }

    /// The transaction, for sea-orm.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The service whose database this is.
    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// The instant of this unit.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// A new id, ordered by time.
    pub fn id(&self) -> Uuid {
        self.random.id(self.now)
    }

    /// Writes `event` about `episode` into the outbox; it leaves after the commit.
    ///
    /// # Errors
    /// When the database fails, or the event is larger than any may be.
    pub async fn publish<E: Event>(&mut self, lane: Lane, episode: Uuid, event: &E) -> Result<(), StoreError> {
        let (bytes, most) = (event.encoded_len(), event::MAX_BYTES);
        if bytes > most {
            return Err(StoreError::EventTooLarge { event: E::NAME, bytes, most });
        }
        let envelope = Envelope {
            id: self.id(),
            event_type: E::TYPE.to_owned(),
            subject: event::subject(self.service, lane, E::NAME, episode),
            source: self.service.name().to_owned(),
            time: self.now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            trace_parent: self.trace.to_string(),
            payload: event.encode_to_vec().into(),
        };
        let outgoing = outbox::insert(&self.db, envelope, self.now).await?;
        self.effects.outgoing.push(outgoing);
        Ok(())
    }

    /// Notes that `consumer` has handled the event `id`. False when it had before: then change nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_time(&self, consumer: &str, id: Uuid) -> Result<bool, StoreError> {
        Ok(inbox::first_time(&self.db, consumer, id, self.places.of(id), self.now).await?)
    }

    /// Sets the timer `kind` of `key`, or moves it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_timer(&mut self, kind: &str, key: &str, due_at: DateTime<Utc>) -> Result<(), StoreError> {
        timers::set(&self.db, kind, key, due_at).await?;
        self.effects.timers_set = true;
        Ok(())
    }

    /// Removes the timer `kind` of `key`, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_timer(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        Ok(timers::cancel(&self.db, kind, key).await?)
    }

    /// Claims a timer that fired. False when it was moved, cancelled or claimed by another replica: then change nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_timer(&self, timer: &timers::Timer) -> Result<bool, StoreError> {
        Ok(timers::claim(&self.db, timer).await?)
    }

    /// Writes into the audit who made the call that this unit is part of, what they did, and that it is answered with
    /// `status` once all of it is committed. What nobody called for leaves no row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&mut self, status: StatusCode, deed: Deed) -> Result<(), StoreError> {
        let Some(access) = self.access.clone() else { return Ok(()) };
        Entry::answered(access.clone(), status, deed).write(self).await?;
        self.effects.accounted = Some(access);
        Ok(())
    }

    /// Likewise one of many things that the call does; the call has a row of its own besides.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_part(&self, deed: Deed) -> Result<(), StoreError> {
        let Some(access) = self.access.clone() else { return Ok(()) };
        Entry::part(access, deed).write(self).await
    }

    /// The conflict error unless exactly one row was changed: for `UPDATE ... WHERE revision = read`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the row had moved on.
    pub fn expect_one(&self, rows_affected: u64) -> Result<(), StoreError> {
        if rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }
}
