//! The body of a call as far as it has come, so that another replica can be given it from its beginning while the rest
//! is still on its way.
//!
//! What the caller sends goes on at once: a body that breaks off arrives broken off, as without the door.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

/// Bytes of one body that are kept for another replica; a longer one is sent once. With 1,024 calls at once that is
/// 256 MiB at most.
pub(super) const MOST: usize = 256 << 10;

/// A body that may be sent more than once. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    arrived: Arc<Mutex<Arrived>>,
    empty: bool,
    length: Option<u64>,
}

#[derive(Debug)]
struct Arrived {
    rest: BodyDataStream,
    pieces: Vec<Bytes>,
    held: usize,
    moved: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Flowing,
    AwaitsCaller,
    Ended,
    BrokenOff,
}

impl Kept {
    pub(super) fn new(body: Body) -> Self {
        let (empty, length) = (body.is_end_stream(), body.size_hint().exact());
        let state = if empty { State::Ended } else { State::Flowing };
        let arrived =
            Arrived { rest: body.into_data_stream(), pieces: Vec::new(), held: 0, moved: super::way::now(), state };
        Self { arrived: Arc::new(Mutex::new(arrived)), empty, length }
    }

    /// The body from its beginning.
    pub(super) fn whole(&self) -> Body {
        if self.empty {
            return Body::empty();
        }
        Body::from_stream(Sending { kept: self.clone(), next: 0 })
    }

    /// Its bytes, when the caller has said how many.
    pub(super) fn length(&self) -> Option<u64> {
        self.length.filter(|_| !self.empty)
    }

    /// Whether all that came is still here.
    pub(super) fn is_whole(&self) -> bool {
        self.lock().held <= MOST
    }

    /// Whether the caller broke off.
    pub(super) fn broke_off(&self) -> bool {
        self.lock().state == State::BrokenOff
    }

    /// Since when the replica has neither taken any of it nor waited for the caller; none while the caller is awaited.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let arrived = self.lock();
        (arrived.state != State::AwaitsCaller).then_some(arrived.moved)
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrived {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        if matches!(self.state, State::Ended | State::BrokenOff) {
            return Poll::Ready(None);
        }
        self.state = State::AwaitsCaller;
        let piece = ready!(self.rest.poll_next_unpin(context));
        self.moved = super::way::now();
        self.state = match &piece {
            None => State::Ended,
            Some(Err(_)) => State::BrokenOff,
            Some(Ok(piece)) => {
                self.held = self.held.saturating_add(piece.len());
                if self.held <= MOST {
                    self.pieces.push(piece.clone());
                }
                State::Flowing
            }
        };
        Poll::Ready(piece)
    }
}

/// One sending of a body.
struct Sending {
    kept: Kept,
    next: usize,
}

impl Stream for Sending {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let kept = self.kept.clone();
        let mut arrived = kept.lock();
        if let Some(piece) = arrived.pieces.get(self.next) {
            self.next += 1;
            return Poll::Ready(Some(Ok(piece.clone())));
        }
        let piece = ready!(arrived.poll_next(context));
        self.next += 1;
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn all(body: Body) -> Result<Bytes, axum::Error> {
        axum::body::to_bytes(body, usize::MAX).await
    }

    fn pieces(pieces: &[usize]) -> Kept {
        let pieces: Vec<_> = pieces.iter().map(|size| Ok::<_, axum::Error>(Bytes::from(vec![b'x'; *size]))).collect();
        Kept::new(Body::from_stream(stream::iter(pieces)))
    }

    #[tokio::test]
    async fn a_second_sending_begins_at_the_start_and_goes_on_with_what_still_comes() {
        let kept = pieces(&[3, 4, 5]);
        let mut first = kept.whole().into_data_stream();
        assert_eq!(first.next().await.expect("a piece").expect("whole").len(), 3);
        drop(first);
        assert_eq!(all(kept.whole()).await.expect("whole").len(), 12);
        assert!(kept.is_whole());
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_to_keep_is_sent_whole_but_once() {
        let kept = pieces(&[MOST, 1, 7]);
        assert_eq!(all(kept.whole()).await.expect("whole").len(), MOST + 8);
        assert!(!kept.is_whole());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_breaks_off_for_the_service_too() {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
        let kept = Kept::new(Body::from_stream(broken));
        assert!(all(kept.whole()).await.is_err());
        assert!(kept.broke_off());
    }
}
