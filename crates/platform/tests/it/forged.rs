//! What a service sends that it may not send: a stream of its own that copies into another's, and the server as a deputy
//! that answers into another's. Neither reaches a handler; both are told of.

use std::sync::{Arc, Mutex};

use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, HeaderMap};
use async_trait::async_trait;
use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::scheduling::VisitDue;
use lasegue_contracts::topology::{ALERTING_RED_FLAGS, Stream};
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::bus::{Bus, Message, NatsBus, NatsConfig};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::consume::{Consuming, Handler, HandlerError};
use lasegue_platform::store::{Store, dead_letters, outbox};
use lasegue_testkit::containers::Nats;
use lasegue_testkit::keys::event_keys;
use sea_orm::EntityTrait;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::permissions::{PASSWORD, guarded};
use crate::support::{Home, eventually, home};

const EPISODE: Uuid = Uuid::from_u128(7);

/// Writes down what it is given, understood or not.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("no test panics with it").push(what.into());
    }

    fn noted(&self) -> Vec<String> {
        self.0.lock().expect("no test panics with it").clone()
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        self.note(format!("handled {}", envelope.id));
        Ok(())
    }

    async fn set_aside(&self, _: &Message, _: Uuid) -> Result<(), HandlerError> {
        self.note("an emergency: it cannot be read");
        Ok(())
    }
}

/// Alerting at work on red flags, on a server with the users of `deploy/`.
struct Ward {
    server: Nats,
    home: Home,
    recorder: Arc<Recorder>,
    bus: Arc<dyn Bus>,
    _stop: DropGuard,
}

impl Ward {
    async fn open() -> Self {
        let server = guarded().await;
        let passwords = Service::ALL.map(|service| (service, PASSWORD.into())).into();
        let config =
            NatsConfig { max_stream_bytes: 64 << 20, passwords, ..NatsConfig::single(server.url(), event_keys()) };
        let services = [Service::Assessment, Service::Scheduling, Service::Alerting];
        let bus = NatsBus::connect(config, &services, &SystemClock::shared()).await.expect("the server is up");
        let (bus, home, recorder): (Arc<dyn Bus>, _, _) =
            (Arc::new(bus), home(Service::Alerting).await, Arc::<Recorder>::default());
        let (handler, store) = (recorder.clone(), home.store.clone());
        let stop = CancellationToken::new();
        let consuming = Consuming { consumer: &ALERTING_RED_FLAGS, handler, store, bus: bus.clone() };
        tokio::spawn(consuming.run(stop.clone()));
        Self { server, home, recorder, bus, _stop: stop.drop_guard() }
    }

    /// Somebody who has the password of scheduling.
    async fn intruder(&self) -> Client {
        let options = ConnectOptions::new().user_and_password("scheduling".to_owned(), PASSWORD.to_owned());
        let options = options.custom_inbox_prefix("_INBOX_scheduling");
        options.connect(self.server.url()).await.expect("scheduling may connect")
    }

    async fn letters(&self) -> Vec<dead_letters::Model> {
        dead_letters::Entity::find().all(self.home.store.reader()).await.expect("they can be read")
    }

    /// The one letter there is, once it is.
    async fn letter(&self) -> dead_letters::Model {
        eventually("it was refused", || async { !self.letters().await.is_empty() }).await;
        let [letter] = <[_; 1]>::try_from(self.letters().await).expect("one message, one letter");
        letter
    }

    async fn told(store: &Store) -> u64 {
        outbox::count_owed(store.reader()).await.expect("it can be counted")
    }
}

fn red_flag() -> Envelope {
    Envelope {
        id: Uuid::from_u128(1),
        event_type: RedFlagRaised::TYPE.to_owned(),
        subject: event::subject(Service::Assessment, Lane::Live, RedFlagRaised::NAME, EPISODE),
        source: Service::Assessment.name().to_owned(),
        time: "2026-01-21T09:00:00Z".to_owned(),
        trace_parent: String::new(),
        payload: vec![1].into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_answers_into_the_stream_of_another_is_refused_and_told() {
    let ward = Ward::open().await;
    let intruder = ward.intruder().await;
    let own = event::subject(Service::Scheduling, Lane::Live, VisitDue::NAME, EPISODE);
    let deputy = intruder.publish_with_reply(own, red_flag().subject, "x".into());
    deputy.await.expect("it leaves this process");
    let letter = ward.letter().await;
    assert_eq!(letter.consumer, "signatures");
    assert!(
        letter.reason.contains("alerting-red-flags") && letter.reason.contains("no signature"),
        "{}",
        letter.reason
    );
    assert_eq!(ward.recorder.noted(), [""; 0], "nobody is paged about a patient");
    assert_eq!(Ward::told(&ward.home.store).await, 1, "an operator is told by an event");
    ward.bus.publish(&red_flag()).await.expect("the true one is read and confirmed");
    assert_eq!(ward.recorder.noted(), [format!("handled {}", Uuid::from_u128(1))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_copies_into_that_of_another_is_refused_and_told() {
    let ward = Ward::open().await;
    let intruder = ward.intruder().await;
    ward.server.wipe().await;
    let wanted = stream::Config {
        name: "VISITS".to_owned(),
        subjects: vec!["lasegue.scheduling.v1.visit-due.*".to_owned()],
        republish: Some(stream::Republish {
            source: "lasegue.scheduling.v1.visit-due.*".to_owned(),
            destination: "lasegue.assessment.v1.red-flag-raised.{{wildcard(1)}}".to_owned(),
            headers_only: false,
        }),
        ..stream::Config::default()
    };
    let jetstream = jetstream::new(intruder.clone());
    eventually("its stream is there", || async { jetstream.create_stream(wanted.clone()).await.is_ok() }).await;
    let holding = || ward.bus.holding(Service::Assessment, Stream::of(&red_flag().subject).expect("it has one"), None);
    eventually("assessment's is there again", || async { holding().await.is_ok() }).await;
    let mut headers = HeaderMap::new();
    for (name, value) in red_flag().headers() {
        headers.insert(name, value);
    }
    let own = event::subject(Service::Scheduling, Lane::Live, VisitDue::NAME, EPISODE);
    let published = jetstream.publish_with_headers(own, headers, red_flag().payload).await;
    published.expect("it leaves this process").await.expect("the stream takes it");
    let letter = ward.letter().await;
    assert_eq!((letter.consumer.as_str(), letter.event_id()), ("signatures", Uuid::from_u128(1).to_string().as_str()));
    assert_eq!(ward.recorder.noted(), [""; 0]);
    assert_eq!(Ward::told(&ward.home.store).await, 1, "an operator is told by an event");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_are_forged_a_hundred_are_kept_and_told_and_all_are_counted() {
    let ward = Ward::open().await;
    let intruder = ward.intruder().await;
    for number in 0..150 {
        let own = event::subject(Service::Scheduling, Lane::Live, VisitDue::NAME, EPISODE);
        let subject = event::subject(Service::Assessment, Lane::Live, RedFlagRaised::NAME, Uuid::from_u128(number));
        intruder.publish_with_reply(own, subject, "x".into()).await.expect("it leaves this process");
    }
    eventually("all are done with", || async { ward.bus.lag(&ALERTING_RED_FLAGS).await == Ok(0) }).await;
    eventually("a hundred are kept", || async { ward.letters().await.len() >= 100 }).await;
    assert_eq!((ward.letters().await.len(), Ward::told(&ward.home.store).await), (100, 100));
    assert_eq!(ward.recorder.noted(), [""; 0]);
}
