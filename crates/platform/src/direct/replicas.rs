//! The replicas of a service: where its name leads, and when the next is asked.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::Uri;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::HandOverError;
use crate::clock::SharedClock;

/// How long a look-up of a name may take.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);
/// How long a replica is asked alone. One that hangs costs no more than this.
const NEXT_AFTER: Duration = Duration::from_secs(1);
/// Replicas that one event is handed to at most.
const REPLICAS: usize = 3;

/// The addresses that a service's name has now, or why there is none.
pub(super) async fn look_up(clock: &SharedClock, address: &Uri) -> Result<Vec<SocketAddr>, String> {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    tokio::select! {
        found = tokio::net::lookup_host((host, address.port_u16().unwrap_or(80))) => match found {
            Ok(found) => Ok(found.collect()),
            Err(error) => Err(format!("{host} cannot be looked up: {}", crate::chain(&error))),
        },
        () = clock.sleep(LOOK_UP_WITHIN) => Err(format!("the look-up of {host} takes too long")),
    }
}

/// Asks one replica, and the next as well once it has failed or was silent for a while, until one has taken the event. That
/// two take it does no harm: the inbox drops the second. `none` is the error when there is no replica.
pub(super) async fn first_to_take<F>(
    clock: &SharedClock,
    replicas: Vec<SocketAddr>,
    none: HandOverError,
    ask: impl Fn(SocketAddr) -> F,
) -> Result<(), HandOverError>
where
    F: Future<Output = Result<(), HandOverError>>,
{
    let mut replicas = replicas.into_iter().take(REPLICAS);
    let (mut asked, mut missed) = (FuturesUnordered::new(), none);
    loop {
        asked.extend(replicas.next().map(&ask));
        tokio::select! {
            answer = asked.next() => match answer {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => missed = error,
                None => return Err(missed),
            },
            () = clock.sleep(NEXT_AFTER), if replicas.len() > 0 => {}
        }
    }
}
