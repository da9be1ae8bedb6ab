//! Which protocol decides: the active one of this service's database, read for each evaluation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lasegue_contracts::Service;
use lasegue_platform::store::{Store, StoreError};
use lasegue_protocol::Protocol;
use sea_orm::ActiveValue::Set;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::store::protocols;

/// Keeps the protocol that is part of the program. It becomes the active one only where there is none yet.
pub(crate) async fn keep_embedded(store: &Store) -> Result<(), StoreError> {
    store
        .commit(|unit| {
            Box::pin(async move {
                let reference = Protocol::embedded().reference();
                let first = protocols::active(unit.db()).await?.is_none();
                let row = protocols::ActiveModel {
                    sha256: Set(reference.sha256.clone()),
                    id: Set(reference.id.clone()),
                    version: Set(reference.version.clone()),
                    toml: Set(Protocol::embedded_text().to_owned()),
                    active: Set(first),
                    stored_at: Set(unit.now()),
                };
                let known = OnConflict::column(protocols::Column::Sha256).do_nothing().to_owned();
                let kept = protocols::Entity::insert(row)
                    .on_conflict(known)
                    .try_insert()
                    .exec_without_returning(unit.db())
                    .await?;
                if matches!(kept, TryInsertResult::Inserted(1)) && !first {
                    tracing::info!(
                        version = reference.version,
                        sha256 = reference.sha256,
                        "this program brings another protocol than the active one: it waits to be activated"
                    );
                }
                Ok(())
            })
        })
        .await
}

/// Protocols that were loaded, by hash. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protocols {
    loaded: Arc<Mutex<HashMap<String, Arc<Protocol>>>>,
}

impl Protocols {
    /// The active protocol.
    ///
    /// # Errors
    /// When there is none, or it does not load: then nothing is evaluated rather than by wrong rules.
    pub(crate) async fn active(&self, store: &Store) -> Result<Arc<Protocol>, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt { service: Service::Assessment, what: what.to_owned() };
        let sha256 = protocols::active(store.reader()).await?.ok_or_else(|| corrupt("no protocol is active"))?;
        if let Some(protocol) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&sha256) {
            return Ok(protocol.clone());
        }
        let row = protocols::Entity::find_by_id(sha256.clone()).one(store.reader()).await?;
        let row = row.ok_or_else(|| corrupt("the active protocol is gone"))?;
        let protocol = Protocol::load(&row.toml).map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            corrupt(&format!("the active protocol {sha256} does not load: {first}"))
        })?;
        let protocol = Arc::new(protocol);
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256, protocol.clone());
        Ok(protocol)
    }
}
