//! Receiving the body of a submission, so that whatever arrived of it can be kept, even when it is too large, stalls or
//! breaks off.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use lasegue_platform::clock::SharedClock;

use crate::error::IntakeError;

/// The longest submission, in bytes.
pub(crate) const MOST: usize = 1 << 20;

/// How long a submission may take to arrive: less than its answer may, so that what came of it can still be kept.
pub(crate) const WITHIN: Duration = Duration::from_secs(20);

/// A body as far as it was received, at most [`MOST`] bytes of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    /// Why that is not all of it.
    pub(crate) cut: Option<IntakeError>,
}

/// Receives a body, for as long as it may take.
pub(crate) async fn receive(body: Body, clock: &SharedClock) -> Received {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream().take_until(clock.sleep(WITHIN));
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { return Received { bytes, cut: Some(IntakeError::BrokenOff) } };
        let room = MOST - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Received { bytes, cut: Some(IntakeError::TooLarge { most: MOST }) };
        }
    }
    let cut = chunks.take_result().map(|()| IntakeError::Stalled);
    Received { bytes, cut }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use lasegue_testkit::clock::ManualClock;

    use super::*;

    fn clock() -> (ManualClock, SharedClock) {
        let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
        (clock.clone(), Arc::new(clock))
    }

    #[tokio::test]
    async fn a_body_is_received_whole_up_to_the_limit_and_cut_there() {
        let whole = receive(Body::from(vec![b'x'; MOST]), &clock().1).await;
        assert!(whole.bytes.len() == MOST && whole.cut.is_none());
        let cut = receive(Body::from(vec![b'x'; MOST + 1]), &clock().1).await;
        assert!(cut.bytes.len() == MOST && matches!(cut.cut, Some(IntakeError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn what_arrived_before_the_body_stalled_is_kept_and_a_slow_body_is_no_stalled_one() {
        for (stalls, expected) in [(WITHIN, true), (WITHIN / 2, false)] {
            let (hand, clock) = clock();
            let begun = stream::iter([Ok::<_, std::io::Error>("{ \"cauda")]);
            let rest = stream::once(async move {
                hand.advance(stalls);
                tokio::task::yield_now().await;
                Ok(" }")
            });
            let received = receive(Body::from_stream(begun.chain(rest)), &clock).await;
            assert!(received.bytes.starts_with(b"{ \"cauda"));
            assert_eq!(matches!(received.cut, Some(IntakeError::Stalled)), expected);
        }
    }

    #[tokio::test]
    async fn what_arrived_before_the_line_broke_is_kept() {
        let pieces = [Ok("{ \"cauda"), Err(std::io::Error::other("gone"))];
        let broken = receive(Body::from_stream(stream::iter(pieces)), &clock().1).await;
        assert_eq!(broken.bytes, b"{ \"cauda");
        assert!(matches!(broken.cut, Some(IntakeError::BrokenOff)));
    }
}
