//! The services of other processes: where each takes events directly, and the secret shared with it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lasegue_contracts::Service;
use lasegue_contracts::topology::Consumer;
use secrecy::SecretString;

use super::proof::{self, Call};
use super::{HandOverError, handed, replicas};
use crate::bus::Message;
use crate::clock::SharedClock;

/// How long a connection to a peer may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a peer may take to handle an event. It gives up a little earlier by itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A pair of services, in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(Service, Service);

impl Pair {
    fn of(one: Service, other: Service) -> Self {
        Self(one.min(other), one.max(other))
    }
}

/// What a process knows of its peers. Cheap enough to clone.
#[derive(Clone)]
pub struct Peers {
    addresses: BTreeMap<Service, Uri>,
    secrets: BTreeMap<Pair, SecretString>,
    client: Client<HttpConnector, Body>,
    clock: SharedClock,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Peers {
    /// Nobody yet.
    pub fn new(clock: SharedClock) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        // A connection for each call: the next one may be to another replica.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { addresses: BTreeMap::new(), secrets: BTreeMap::new(), client, clock }
    }

    /// `service` takes events directly at `address`, which begins with `http://` and has no path.
    #[must_use]
    pub fn at(mut self, service: Service, address: Uri) -> Self {
        self.addresses.insert(service, address);
        self
    }

    /// `one` and `other` share `secret`.
    #[must_use]
    pub fn sharing(mut self, one: Service, other: Service, secret: SecretString) -> Self {
        self.secrets.insert(Pair::of(one, other), secret);
        self
    }

    pub(super) fn secret(&self, one: Service, other: Service) -> Option<&SecretString> {
        self.secrets.get(&Pair::of(one, other))
    }

    /// Resolves once a replica of the consumer's service has committed what follows from the event.
    pub(super) async fn hand_over(
        &self,
        consumer: &Consumer,
        sender: &str,
        message: Message,
    ) -> Result<(), HandOverError> {
        let away = |reason: String| HandOverError::Away { service: consumer.owner, reason };
        let address = self.addresses.get(&consumer.owner);
        let address = address.ok_or_else(|| away("no address is configured".to_owned()))?;
        let replicas = replicas::look_up(&self.clock, address).await.map_err(away)?;
        self.hand_to(replicas, consumer, sender, message).await
    }

    async fn hand_to(
        &self,
        replicas: Vec<SocketAddr>,
        consumer: &Consumer,
        sender: &str,
        message: Message,
    ) -> Result<(), HandOverError> {
        let service = consumer.owner;
        let away = |reason: String| HandOverError::Away { service, reason };
        let from = Service::ALL.into_iter().find(|service| service.name() == sender);
        let from = from.ok_or_else(|| away(format!("{sender} is no service")))?;
        let secret = self.secret(from, service).ok_or_else(|| away("there is no secret for it".to_owned()))?;
        let body = handed::encode(message);
        let call = Call { from, to: service, consumer: consumer.name, body: &body };
        let none = away("its name leads to no address".to_owned());
        replicas::first_to_take(&self.clock, replicas, none, |replica| self.ask(replica, call, secret)).await
    }

    async fn ask(&self, replica: SocketAddr, call: Call<'_>, secret: &SecretString) -> Result<(), HandOverError> {
        let service = call.to;
        let away = |reason: String| HandOverError::Away { service, reason };
        let proof = call.prove(secret, self.clock.now());
        let request = Request::post(format!("http://{replica}/direct/v1/{}", call.consumer))
            .header(proof::SENDER, call.from.name())
            .header(proof::PROOF, &proof)
            .body(Body::from(call.body.to_vec()))
            .map_err(|error| away(error.to_string()))?;
        let answer = tokio::select! {
            answer = self.client.request(request) => answer.map_err(|error| away(crate::chain(&error)))?,
            () = self.clock.sleep(ANSWER_WITHIN) => return Err(away("it is silent".to_owned())),
        };
        judge(service, secret, &proof, answer.status(), answer.headers())
    }
}

/// What an answer says, if it is the peer's.
fn judge(
    service: Service,
    secret: &SecretString,
    call: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), HandOverError> {
    let given = headers.get(proof::PROOF).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !proof::answers(secret, call, status, given) {
        return Err(HandOverError::Stranger { service });
    }
    if status.is_success() {
        return Ok(());
    }
    Err(HandOverError::NotHandled(format!("{service} answers {status}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lasegue_contracts::Envelope;
    use lasegue_contracts::event::{self, Lane};
    use lasegue_contracts::topology::ALERTING_VISITS;
    use tokio::net::TcpListener;
    use uuid::Uuid;

    use super::*;
    use crate::clock::SystemClock;
    use crate::direct::doors::Doors;
    use crate::direct::server::DirectServer;

    fn message() -> Message {
        Message::from(&Envelope {
            id: Uuid::from_u128(1),
            event_type: "lasegue.scheduling.v1.VisitOverdue".to_owned(),
            subject: event::subject(Service::Scheduling, Lane::Live, "visit-overdue", Uuid::from_u128(2)),
            source: Service::Scheduling.name().to_owned(),
            time: "2026-01-21T09:00:00Z".to_owned(),
            trace_parent: String::new(),
            payload: vec![1].into(),
        })
    }

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        (listener, address)
    }

    /// A replica of alerting that takes everything.
    async fn replica(peers: &Peers, clock: &SharedClock) -> SocketAddr {
        let (listener, address) = listen().await;
        let doors = Arc::new(Doors::new(clock.clone()));
        let mut inside = doors.open(&ALERTING_VISITS).await;
        tokio::spawn(async move {
            while let Some(delivery) = inside.next().await {
                delivery.answer.ack().await.expect("whoever handed it over waits");
            }
        });
        let server = DirectServer::new(peers.clone(), doors, clock.clone()).into_router();
        tokio::spawn(async move { axum::serve(listener, server).await });
        address
    }

    #[tokio::test]
    async fn beside_a_replica_that_hangs_or_is_gone_another_takes_the_event_at_the_first_try() {
        let clock = SystemClock::shared();
        let peers = Peers::new(clock.clone()).sharing(Service::Scheduling, Service::Alerting, "pair".into());
        let sound = replica(&peers, &clock).await;
        let (hangs, hanging) = listen().await;
        let (gone, missing) = listen().await;
        drop(gone);
        for first in [hanging, missing] {
            let handed = peers.hand_to(vec![first, sound], &ALERTING_VISITS, "scheduling", message()).await;
            assert_eq!(handed, Ok(()));
        }
        let alone = peers.hand_to(vec![missing], &ALERTING_VISITS, "scheduling", message()).await;
        assert!(matches!(alone, Err(HandOverError::Away { .. })), "{alone:?}");
        drop(hangs);
    }
}
