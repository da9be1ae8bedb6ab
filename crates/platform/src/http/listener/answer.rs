//! One request on its way in, and its answer on its way out.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Method, Request, Version};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::body::{Frame, Incoming, SizeHint};
use tower::ServiceExt;

use super::activity::{Activity, UnderWay};
use super::paced::{Pace, Paced};
use super::places::Room;
use crate::clock::SharedClock;

/// How long a request may last until all of its answer has been taken.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(90);

/// Bytes of an answer that are handed to the connection at once. It lets go of a body when it has all of it in hand, so an
/// answer in one piece would count as taken long before it is.
const PIECE: usize = 16 << 10;

/// What a request that came over a connection bears, unlike one that a test gives to the routes directly.
#[derive(Clone, Debug)]
pub(in crate::http) struct Arrived {
    /// Whether its place is for what is urgent alone.
    pub(in crate::http) urgent_only: bool,
    /// How its body comes.
    pub(in crate::http) pace: Pace,
    /// The other end of its connection.
    pub(in crate::http) peer: IpAddr,
}

/// Whether a request goes before others: it may bring a red flag.
pub(in crate::http) fn urgent(method: &Method, path: &str) -> bool {
    method == Method::POST
        && path.starts_with("/api/v1/episodes/")
        && path.trim_end_matches('/').ends_with("/submissions")
}

/// Answers the requests of one connection.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    pub(super) router: Router,
    pub(super) room: Room,
    pub(super) activity: Activity,
    pub(super) clock: SharedClock,
    pub(super) peer: IpAddr,
}

impl Answering {
    pub(super) async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let under_way = self.activity.begin(&self.clock);
        let end = self.clock.now() + TAKEN_WITHIN;
        let (urgent_only, version) = (self.room == Room::Kept, request.version());
        let pace = Pace::default();
        let mut request = request.map(|body| Body::new(Paced::new(body, self.clock.clone(), pace.clone())));
        request.extensions_mut().insert(Arrived { urgent_only, pace, peer: self.peer });
        let mut response = self.router.oneshot(request).await?;
        if urgent_only && version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response
            .map(|body| Body::new(Leaving { body, rest: Bytes::new(), end, clock: self.clock, _under_way: under_way })))
    }
}

/// The body of an answer; whoever takes it too slowly gets no more of it.
struct Leaving {
    body: Body,
    /// Of its last piece, what is still to be handed over.
    rest: Bytes,
    end: DateTime<Utc>,
    clock: SharedClock,
    _under_way: UnderWay,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.clock.now() > self.end {
            return Poll::Ready(Some(Err(axum::Error::new("the answer was taken too slowly"))));
        }
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
