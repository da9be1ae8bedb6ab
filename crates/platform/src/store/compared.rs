//! Tells an operator of streams and durables that are not configured as asked: each is a letter that goes on failing, until it
//! is found right again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::dead_letters::{self, Model, State};
use super::{Store, StoreError};
use crate::bus::{Bus, Compared, Message};
use crate::consume::letters;

/// How often it is looked at what was compared.
const EVERY: Duration = Duration::from_secs(2);

/// Tells of what `store`'s service found wrong on `bus`, until `stop`.
pub async fn watch_compared(store: Store, bus: Arc<dyn Bus>, stop: CancellationToken) {
    let mut told = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.clock().sleep(EVERY) => {}
        }
        for Compared { what, wrong } in bus.compared(store.service()) {
            if told.get(&what) == Some(&wrong) {
                continue;
            }
            match tell(&store, &what, wrong.clone()).await {
                Ok(()) => _ = told.insert(what, wrong),
                Err(error) => {
                    let error = crate::chain(&error);
                    tracing::error!(what, error, "nobody could be told how it is configured");
                }
            }
        }
    }
}

async fn tell(store: &Store, what: &str, wrong: Option<String>) -> Result<(), StoreError> {
    if let Some(sentence) = &wrong {
        tracing::error!(service = %store.service(), "{sentence}");
    }
    let consumer = format!("{}-nats", store.service());
    let message = Message { subject: what.to_owned(), headers: Vec::new(), payload: Bytes::new() };
    let telling = store.commit(move |unit| {
        Box::pin(async move {
            let now = unit.now();
            let Some(sentence) = wrong else {
                let id = dead_letters::id_of(&consumer, &message);
                dead_letters::settle(unit.db(), id, [State::Failing], State::Handled, now).await?;
                return Ok(());
            };
            letters::keep(unit, Model::of(&consumer, &message, &sentence, 1, now)).await.map(drop)
        })
    });
    telling.await
}
