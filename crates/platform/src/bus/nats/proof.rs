//! Questions about what a reader has handled, and their answers: plain NATS, 16 bytes an id. A lost one is asked again.
//!
//! The answer goes to a fixed subject of the sender that the question's own subject names, never to one that the question
//! could choose.

use std::sync::Arc;

use async_nats::jetstream::consumer::pull;
use bytes::Bytes;
use futures_util::StreamExt;
use lasegue_contracts::Service;
use lasegue_contracts::topology::Consumer;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::connection::{Connection, receipt_subject, refused};
use super::is_missing;
use crate::bus::{BusError, Memory, Proof};

/// Where the reader of `consumer` is asked by `sender`.
pub(super) fn question_subject(sender: &str, consumer: &str) -> String {
    format!("lasegue.question.{sender}.{consumer}")
}

/// Asks the reader of `consumer`. What it is given no more is looked up first: what it handles meanwhile, it has handled.
pub(super) async fn ask(
    connection: &Connection,
    sender: Service,
    consumer: &'static Consumer,
    events: &[Uuid],
) -> Result<Proof, BusError> {
    let passed = passed(connection, consumer).await?;
    // The client's own way of naming what nobody else waits for.
    let question = Uuid::new_v5(&Uuid::nil(), connection.client.new_inbox().as_bytes());
    let payload = write([question].iter().chain(events));
    let answer = connection.ask(question_subject(sender.name(), consumer.name), question, payload).await?;
    match read(&answer).split_first() {
        Some((reader, handled)) => Ok(Proof { reader: *reader, handled: handled.iter().copied().collect(), passed }),
        None => Err(BusError::Refused(format!("the reader {} gave no answer", consumer.name))),
    }
}

/// The place up to which the durable has given everything, or its stream has nothing any more.
async fn passed(connection: &Connection, consumer: &'static Consumer) -> Result<u64, BusError> {
    let name = consumer.stream.name;
    let stream = connection.jetstream.get_stream(name).await.map_err(refused)?;
    let gone = stream.cached_info().state.first_sequence.saturating_sub(1);
    match connection.jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, name).await {
        Ok(durable) => Ok(gone.max(durable.cached_info().ack_floor.stream_sequence)),
        Err(error) if is_missing(&error) => Ok(gone),
        Err(error) => Err(refused(error)),
    }
}

/// Answers for the reader of `consumer` until `stop`. Its replicas share the questions.
pub(super) async fn answer(
    connection: Arc<Connection>,
    consumer: &'static Consumer,
    memory: Arc<dyn Memory>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let subject = question_subject("*", consumer.name);
    let mut questions = connection.client.queue_subscribe(subject, consumer.name.to_owned()).await.map_err(refused)?;
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            message = questions.next() => message.ok_or(BusError::Closed)?,
        };
        let sender = message.subject.split('.').nth(2).unwrap_or_default();
        let Some((question, events)) = read(&message.payload).split_first().map(|(id, rest)| (*id, rest.to_vec()))
        else {
            continue;
        };
        let handled = memory.handled(&events).await?;
        let answer = write([memory.id()].iter().chain(&handled));
        connection.client.publish(receipt_subject(sender, question), answer).await.map_err(refused)?;
    }
}

fn write<'i>(ids: impl Iterator<Item = &'i Uuid>) -> Bytes {
    ids.flat_map(|id| *id.as_bytes()).collect()
}

fn read(bytes: &[u8]) -> Vec<Uuid> {
    bytes.as_chunks::<16>().0.iter().map(|id| Uuid::from_bytes(*id)).collect()
}
