//! Streams and durables are compared whole with what was asked, whenever they are made or joined. What is wrong is not used,
//! and is known here until it is right again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::jetstream::context::Context;
use async_nats::jetstream::response::Response;
use lasegue_contracts::topology::{Consumer, Stream};
use serde_json::{Value, json};

use super::connection::{Connection, refused};
use super::{NatsConfig, layout};
use crate::bus::{BusError, Compared};

/// How what one service uses was found the last time, by its name.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<BTreeMap<String, Option<String>>>);

impl Found {
    /// Notes what became of a comparison, and passes it on.
    fn note(&self, what: String, compared: Result<(), BusError>) -> Result<(), BusError> {
        let wrong = match &compared {
            Ok(()) => None,
            Err(BusError::Misconfigured(sentence)) => Some(sentence.clone()),
            Err(_) => return compared,
        };
        self.lock().insert(what, wrong);
        compared
    }

    pub(super) fn all(&self) -> Vec<Compared> {
        let found = self.lock();
        found.iter().map(|(what, wrong)| Compared { what: what.clone(), wrong: wrong.clone() }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses `stream` when the server has it otherwise than asked.
pub(super) async fn stream(connection: &Connection, stream: &Stream, config: &NatsConfig) -> Result<(), BusError> {
    let found = configuration(&connection.jetstream, format!("STREAM.INFO.{}", stream.name)).await?;
    let compared = layout::check_stream(&layout::stream(stream, config), &found);
    connection.found.note(format!("stream {}", stream.name), compared)
}

/// Refuses the durable of `consumer` when the server has it otherwise than asked.
pub(super) async fn durable(connection: &Connection, consumer: &Consumer, config: &NatsConfig) -> Result<(), BusError> {
    let place = format!("CONSUMER.INFO.{}.{}", consumer.stream.name, consumer.name);
    let found = configuration(&connection.jetstream, place).await?;
    let compared = layout::check_durable(consumer, config.replicas, &found);
    connection.found.note(format!("durable {}", consumer.name), compared)
}

/// The server's own words, for the client leaves out what it does not know.
async fn configuration(jetstream: &Context, place: String) -> Result<Value, BusError> {
    match jetstream.request(place, &json!({})).await.map_err(refused)? {
        Response::Ok::<Value>(mut info) => Ok(info["config"].take()),
        Response::Err { error } => Err(refused(error)),
    }
}
