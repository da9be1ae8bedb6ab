//! Receiving the body of a submission, so that whatever arrived of it can be kept, even when it is too large or broke off.

use axum::body::Body;
use futures_util::StreamExt;

use crate::error::IntakeError;

/// The longest submission, in bytes.
pub(crate) const MOST: usize = 1 << 20;

/// A body as far as it was received, at most [`MOST`] bytes of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    /// Why that is not all of it.
    pub(crate) cut: Option<IntakeError>,
}

/// Receives a body.
pub(crate) async fn receive(body: Body) -> Received {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { return Received { bytes, cut: Some(IntakeError::BrokenOff) } };
        let room = MOST - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Received { bytes, cut: Some(IntakeError::TooLarge { most: MOST }) };
        }
    }
    Received { bytes, cut: None }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_is_received_whole_up_to_the_limit_and_cut_there() {
        let whole = receive(Body::from(vec![b'x'; MOST])).await;
        assert!(whole.bytes.len() == MOST && whole.cut.is_none());
        let cut = receive(Body::from(vec![b'x'; MOST + 1])).await;
        assert!(cut.bytes.len() == MOST && matches!(cut.cut, Some(IntakeError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn what_arrived_before_the_line_broke_is_kept() {
        let pieces = [Ok("{ \"cauda"), Err(std::io::Error::other("gone"))];
        let broken = receive(Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(broken.bytes, b"{ \"cauda");
        assert!(matches!(broken.cut, Some(IntakeError::BrokenOff)));
    }
}
