//! Room in a full stream: its owner lets go of what every reader has acked.
//!
//! A stream keeps events for a while after they were read and takes nothing new when it is full. What a reader has not
//! acked is never touched, so a stream that is full of unread events stays full, and the outbox keeps what comes.

use std::error::Error;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::context::{Context, PublishError};
use lasegue_contracts::Service;
use lasegue_contracts::topology::{CONSUMERS, Stream};
use tokio::sync::Mutex;

use super::connection::refused;
use crate::bus::BusError;

/// Makes room, one at a time: whoever comes meanwhile tries its event again later anyway.
#[derive(Debug)]
pub(super) struct Room {
    service: Service,
    making: Mutex<()>,
}

impl Room {
    /// For what `service` publishes.
    pub(super) fn of(service: Service) -> Self {
        Self { service, making: Mutex::default() }
    }

    /// Makes room in the stream of `subject`, if that is why `error` came and the stream is this service's to keep.
    pub(super) async fn make_if_full(&self, jetstream: &Context, subject: &str, error: &PublishError) {
        let Some(stream) = Stream::of(subject).filter(|_| says_full(error)) else { return };
        if stream.keeper() != Some(self.service) {
            let stream = stream.name;
            return tracing::error!(
                stream,
                "the stream is full: its events wait until others in it are seven days old"
            );
        }
        let Ok(_alone) = self.making.try_lock() else { return };
        match make(jetstream, stream).await {
            Ok(0) => tracing::error!(stream = stream.name, "the stream is full of events that were not read yet"),
            Ok(gone) => tracing::info!(stream = stream.name, gone, "the stream was full and let go of what was read"),
            Err(error) => tracing::warn!(
                stream = stream.name,
                error = crate::chain(&error),
                "no room could be made in the stream"
            ),
        }
    }
}

fn says_full(error: &PublishError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<async_nats::jetstream::Error>());
    cause.is_some_and(|cause| cause.error_code() == ErrorCode::STREAM_STORE_FAILED)
}

/// Removes what every reader of `stream` has acked, and says how many events that were.
async fn make(jetstream: &Context, stream: &'static Stream) -> Result<u64, BusError> {
    let found = jetstream.get_stream(stream.name).await.map_err(refused)?;
    // Events that come from now on stay, whatever the readers do meanwhile.
    let mut read = found.cached_info().state.last_sequence;
    for consumer in CONSUMERS.iter().filter(|consumer| consumer.stream == stream) {
        let durable = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, stream.name).await;
        let durable = durable.map_err(refused)?;
        let info = durable.cached_info();
        if info.num_pending > 0 || info.num_ack_pending > 0 {
            read = read.min(info.ack_floor.stream_sequence);
        }
    }
    if read < found.cached_info().state.first_sequence {
        return Ok(0);
    }
    Ok(found.purge().sequence(read + 1).await.map_err(refused)?.purged)
}
