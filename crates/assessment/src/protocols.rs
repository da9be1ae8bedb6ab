//! Which protocol decides: the active one of this service's database, read for each evaluation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use lasegue_platform::store::{Store, StoreError, Unit};
use lasegue_protocol::Protocol;
use lasegue_protocol::assessment::ProtocolRef;
use sea_orm::EntityTrait;

use crate::store::corrupt;
use crate::store::protocols::{self, Model, State};

/// Who wrote and approved the protocol that is part of the program.
const MAKERS: &str = "lasegue";

/// Keeps the protocol that is part of the program. It becomes the active one only where there is none yet.
pub(crate) async fn keep_embedded(store: &Store) -> Result<(), StoreError> {
    store.commit(|unit| Box::pin(keep_embedded_in(unit))).await
}

async fn keep_embedded_in(unit: &mut Unit) -> Result<(), StoreError> {
    let first = Model {
        state: State::Active,
        approved_by: Some(MAKERS.to_owned()),
        activated_at: Some(unit.now()),
        ..embedded(unit.now())
    };
    // Not asked before: replicas that start at once would all find none.
    if protocols::keep(unit.db(), first).await? {
        return Ok(());
    }
    let Model { version, sha256, .. } = embedded(unit.now());
    if protocols::keep(unit.db(), embedded(unit.now())).await? {
        tracing::info!(
            version,
            sha256,
            "this program brings another protocol than the active one: it waits to be activated"
        );
    }
    Ok(())
}

/// The protocol that is part of the program, as it is stored.
fn embedded(stored_at: DateTime<Utc>) -> Model {
    let ProtocolRef { id, version, sha256 } = Protocol::embedded().reference().clone();
    Model {
        sha256,
        id,
        version,
        toml: Protocol::embedded_text().to_owned(),
        author: MAKERS.to_owned(),
        state: State::Stored,
        stored_at,
        approved_by: None,
        activated_at: None,
    }
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
        let sha256 = protocols::active(store.reader()).await?;
        let sha256 = sha256.ok_or_else(|| corrupt("no protocol is active".to_owned()))?;
        if let Some(protocol) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&sha256) {
            return Ok(protocol.clone());
        }
        let row = protocols::Entity::find_by_id(sha256.clone()).one(store.reader()).await?;
        let row = row.ok_or_else(|| corrupt("the active protocol is gone".to_owned()))?;
        let protocol = Arc::new(load(&row)?);
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256, protocol.clone());
        Ok(protocol)
    }
}

fn load(row: &Model) -> Result<Protocol, StoreError> {
    Protocol::load(&row.toml).map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        corrupt(format!("the protocol {} does not load: {first}", row.sha256))
    })
}
