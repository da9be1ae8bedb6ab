//! What becomes a row of the audit.

use axum::http::StatusCode;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use super::row::{ActiveModel, Entity};
use super::{Access, Deed};
use crate::store::{StoreError, Unit};

/// What becomes a row.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(super) access: Access,
    pub(super) status: Option<StatusCode>,
    pub(super) reason: Option<&'static str>,
    pub(super) times: u32,
    pub(super) deed: Deed,
}

impl Entry {
    /// A whole call.
    pub(crate) fn answered(access: Access, status: StatusCode, deed: Deed) -> Self {
        Self { access, status: Some(status), reason: None, times: 1, deed }
    }

    /// One of the many things that a call did.
    pub(crate) fn part(access: Access, deed: Deed) -> Self {
        Self { access, status: None, reason: Some("part"), times: 1, deed }
    }

    pub(super) fn broken_off(access: Access) -> Self {
        Self { access, status: None, reason: Some("broken-off"), times: 1, deed: Deed::default() }
    }

    pub(super) fn refused(access: Access, status: StatusCode, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::answered(access, status, Deed::default()) }
    }

    pub(super) fn object(&self) -> String {
        self.deed.object.map_or_else(|| self.access.facts().object.clone(), |object| object.to_string())
    }

    /// Writes the row into `unit`.
    pub(crate) async fn write(&self, unit: &Unit) -> Result<(), StoreError> {
        let facts = self.access.facts();
        let who = facts.who.as_ref();
        let row = ActiveModel {
            at: Set(unit.now()),
            subject: Set(who.map(|(identity, _)| identity.subject.clone())),
            role: Set(who.map(|(identity, _)| identity.role.name().to_owned())),
            token: Set(who.map(|(_, token)| *token)),
            peer: Set(facts.peer.to_string()),
            request: Set(facts.request.clone()),
            method: Set(facts.method.to_owned()),
            route: Set(facts.route.clone()),
            object: Set(self.object()),
            status: Set(self.status.and_then(|status| status.as_u16().try_into().ok())),
            reason: Set(self.reason.map(str::to_owned)),
            times: Set(self.times.try_into().unwrap_or(i32::MAX)),
            change: Set(self.deed.change.as_ref().map(ToString::to_string)),
            ..Default::default()
        };
        Entity::insert(row).exec_without_returning(unit.db()).await?;
        Ok(())
    }
}
