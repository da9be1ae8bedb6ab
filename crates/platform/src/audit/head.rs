//! The head of the chain: how far it goes, where it begins since old rows were removed, and who says so.

use lasegue_contracts::Service;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};

use super::Mark;
use crate::signed::EventKeys;

/// The one row.
const ROW: i32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_head")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i32,
    /// Of the last sealed row.
    pub(super) number: i64,
    pub(super) hash: Vec<u8>,
    /// Of the last row that was removed for its age.
    pub(super) removed: i64,
    pub(super) removed_hash: Vec<u8>,
    key: Option<String>,
    signature: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why nothing may be added to the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Nobody whose key is known signed it.
    #[error(
        "the head of the audit is not signed by {0}: it was changed, or the public key that signed it is missing in event-keys"
    )]
    Unsigned(Service),
    /// It was further.
    #[error("the audit ends at {now}, and it was at {seen} before: its end was removed while this process ran")]
    Cut {
        /// Where it ends.
        now: i64,
        /// Where it was.
        seen: i64,
    },
}

/// The head as it is.
pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Model, DbErr> {
    Entity::find_by_id(ROW).one(db).await?.ok_or_else(lost)
}

/// Likewise, for nobody else until the unit ends.
pub(super) async fn lock(db: &impl ConnectionTrait) -> Result<Model, DbErr> {
    Entity::find_by_id(ROW).lock_exclusive().one(db).await?.ok_or_else(lost)
}

fn lost() -> DbErr {
    DbErr::RecordNotFound("access_head has no row: put a backup in the place of the database".to_owned())
}

impl Model {
    pub(super) fn mark(&self) -> Mark {
        Mark { number: self.number, hash: self.hash.clone() }
    }

    /// Says no when it is not what was written here last, as far as that can be known.
    pub(super) fn check(&self, service: Service, keys: &EventKeys, seen: i64) -> Result<(), HeadError> {
        if self.number < seen {
            return Err(HeadError::Cut { now: self.number, seen });
        }
        // A process without keys signs nothing, and a chain that was never sealed has no signature yet.
        if keys.is_empty() || self.is_new() || self.is_signed(service, keys) {
            return Ok(());
        }
        Err(HeadError::Unsigned(service))
    }

    fn is_new(&self) -> bool {
        self.number == 0 && self.signature.is_none()
    }

    fn is_signed(&self, service: Service, keys: &EventKeys) -> bool {
        let signed = self.key.as_deref().zip(self.signature.as_deref());
        signed.is_some_and(|(key, signature)| keys.has_signed(service, key, &self.bytes(service), signature))
    }

    /// Whether somebody else than the present key of `service` signed it.
    pub(super) fn is_of_another_key(&self, service: Service, keys: &EventKeys) -> bool {
        !self.is_new() && keys.key_of(service).is_some_and(|key| self.key.as_deref() != Some(key.as_str()))
    }

    fn bytes(&self, service: Service) -> Vec<u8> {
        let mut bytes = format!("lasegue audit head 1\n{service} {} {}\n", self.removed, self.number).into_bytes();
        bytes.extend(&self.removed_hash);
        bytes.extend(&self.hash);
        bytes
    }

    /// Signs it for `service`, where that has a key, and writes it.
    pub(super) async fn write(
        mut self,
        db: &impl ConnectionTrait,
        service: Service,
        keys: &EventKeys,
    ) -> Result<(), DbErr> {
        let (key, signature) = keys.sign_bytes(service, &self.bytes(service)).unzip();
        (self.key, self.signature) = (key.map(|key| key.to_string()), signature);
        let Self { number, hash, removed, removed_hash, key, signature, .. } = self.clone();
        let mut row = self.into_active_model();
        (row.number, row.hash, row.removed) = (Set(number), Set(hash), Set(removed));
        (row.removed_hash, row.key, row.signature) = (Set(removed_hash), Set(key), Set(signature));
        Entity::update(row).exec(db).await.map(drop)
    }
}
