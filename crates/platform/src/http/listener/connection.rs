//! One connection, from its first byte to its last.

use std::net::IpAddr;
use std::pin::pin;

use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::answer::{Answering, TAKEN_WITHIN};
use super::places::Place;
use super::socket::Patient;
use crate::clock::SharedClock;

/// Bytes of a request's head, and the fields in it.
const HEAD: usize = 64 << 10;
/// Requests under way at once on one connection of HTTP/2.
const STREAMS: u32 = 100;

/// Answers what comes on `socket` until it ends, has waited too long, its place is needed, or `stop`.
pub(super) async fn attend(
    (socket, peer): (TcpStream, IpAddr),
    place: Place,
    (router, may_listen): (Router, bool),
    clock: SharedClock,
    stop: CancellationToken,
) {
    // Without it an answer may only be later.
    let _ = socket.set_nodelay(true);
    let (room, activity) = (place.room, place.activity.clone());
    let answering = Answering { router, room, activity, clock: clock.clone(), peer };
    let service = tower::service_fn(move |request: axum::http::Request<Incoming>| answering.clone().answer(request));
    let mut builder = Builder::new(TokioExecutor::new());
    // Whoever has sent all that they want to send may still wait for the answer.
    builder.http1().max_buf_size(HEAD).half_close(may_listen);
    builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(16 << 10);
    let socket = TokioIo::new(Patient::new(socket, clock.clone()));
    let mut connection = pin!(builder.serve_connection(socket, TowerToHyperService::new(service)));
    let mut ending = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = place.activity.sent_away() => return,
            () = place.activity.silent(&clock) => {
                metrics::counter!("http_connections_ended_total", "why" => "silent").increment(1);
                return;
            }
            () = place.activity.overdue(&clock, TAKEN_WITHIN) => {
                metrics::counter!("http_connections_ended_total", "why" => "slow").increment(1);
                return;
            }
            () = stop.cancelled(), if !ending => {
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
        }
    }
}
