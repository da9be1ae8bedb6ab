//! The body of a request, which must come at a walking pace: else it counts as broken off, and it is known why.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use hyper::body::{Frame, Incoming, SizeHint};

use crate::clock::SharedClock;

/// How long a body may take whatever its size.
const FREE: Duration = Duration::from_secs(10);
/// Bytes that must have come for each second beyond.
const PACE: u64 = 1 << 10;
/// How long a body may take at most: less than an answer, so that what came of it can still be kept.
const WHOLE: Duration = Duration::from_secs(25);

/// Whether a body was cut off because it came too slowly. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Pace(Arc<AtomicBool>);

impl Pace {
    pub(in crate::http) fn was_too_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that ends with an error when it comes too slowly.
pub(super) struct Paced {
    body: Incoming,
    clock: SharedClock,
    pace: Pace,
    begun: Option<DateTime<Utc>>,
    received: u64,
    too_slow: Option<BoxFuture<'static, ()>>,
}

impl Paced {
    pub(super) fn new(body: Incoming, clock: SharedClock, pace: Pace) -> Self {
        Self { body, clock, pace, begun: None, received: 0, too_slow: None }
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let begun = *self.begun.get_or_insert_with(|| self.clock.now());
        let (clock, end) = (self.clock.clone(), begun + allowed(self.received));
        let too_slow = self.too_slow.get_or_insert_with(|| Box::pin(async move { clock.sleep_until(end).await }));
        too_slow.as_mut().poll(context)
    }
}

/// How long the next bytes may be awaited, from the beginning of the body.
fn allowed(received: u64) -> Duration {
    (FREE + Duration::from_secs(received / PACE)).min(WHOLE)
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.wait(context));
            self.pace.0.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new("the body came too slowly"))));
        };
        self.too_slow = None;
        if let Some(Ok(Some(data))) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
            self.received = self.received.saturating_add(data.len() as u64);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_much_may_take_longer_but_not_for_ever() {
        let seconds: Vec<_> = [0, 1_023, 4_096, 1 << 20].map(|received| allowed(received).as_secs()).into();
        assert_eq!(seconds, [10, 10, 14, 25]);
    }
}
