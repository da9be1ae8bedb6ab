//! Each service's NATS user may do its own work and nothing besides.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_nats::ConnectOptions;
use lasegue_contracts::Service;
use lasegue_contracts::topology::{CONSUMERS, Stream};
use lasegue_platform::bus::{Bus, NatsBus, NatsConfig, authorization};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::tls;
use lasegue_testkit::containers::{NATS_NEWEST, Nats};
use lasegue_testkit::keys::event_keys;
use tokio::sync::mpsc;

use crate::conformance;
use crate::nats::NatsWorld;
use crate::support::eventually;

pub(crate) const PASSWORD: &str = "for-tests-only";

pub(crate) async fn guarded() -> Nats {
    tls::install();
    let passwords: String =
        Service::ALL.map(|service| format!("{}_PASSWORD: \"{PASSWORD}\"\n", service.name().to_uppercase())).concat();
    Nats::configured(NATS_NEWEST, &format!("{passwords}{}", authorization())).await
}

#[test]
fn the_committed_permissions_are_those_of_the_topology() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nats/authorization.conf");
    // A variable is known only in the file that names it or includes it.
    let wanted = format!("include secrets/passwords.conf\n\n{}", authorization());
    if fs::read_to_string(&file).is_ok_and(|found| found == wanted) {
        return;
    }
    fs::write(&file, wanted).expect("the file can be written");
    panic!("{} did not fit the topology and was written anew: look at it and commit it", file.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_own_permissions_every_service_can_do_its_work() {
    let server = guarded().await;
    let passwords = Service::ALL.map(|service| (service, PASSWORD.into())).into();
    let world = NatsWorld {
        config: NatsConfig { max_stream_bytes: 64 << 20, passwords, ..NatsConfig::single(server.url(), event_keys()) },
        server,
    };
    conformance::an_event_that_cannot_be_understood_is_set_aside_and_told(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_own_permissions_every_service_makes_again_what_the_server_lost() {
    let server = guarded().await;
    let passwords = Service::ALL.map(|service| (service, PASSWORD.into())).into();
    let config = NatsConfig { max_stream_bytes: 64 << 20, passwords, ..NatsConfig::single(server.url(), event_keys()) };
    let bus = NatsBus::connect(config, &Service::ALL, &SystemClock::shared()).await.expect("the server is up");
    server.wipe().await;
    // Its keeper makes a stream, which the others find then.
    for service in Service::ALL.into_iter().rev() {
        for stream in Stream::published_by(service) {
            eventually("the stream is there again", || async { bus.holding(service, stream, None).await.is_ok() })
                .await;
        }
    }
    for consumer in CONSUMERS {
        let joined = bus.subscribe(consumer, None).await.map(|joined| joined.anew);
        assert_eq!(joined, Ok(true), "{}", consumer.name);
    }
    let compared = Service::ALL.into_iter().flat_map(|service| bus.compared(service));
    assert_eq!(compared.filter(|compared| compared.wrong.is_some()).collect::<Vec<_>>(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_refused_what_belongs_to_another_service() {
    let server = guarded().await;
    let (refusals, mut refused) = mpsc::unbounded_channel();
    let refusals = Arc::new(refusals);
    let client = ConnectOptions::new()
        .user_and_password("intake".to_owned(), PASSWORD.to_owned())
        .event_callback(move |event| {
            let sent = refusals.send(event.to_string());
            async move { drop(sent) }
        })
        .connect(server.url())
        .await
        .expect("intake may connect");
    assert_eq!(refused.recv().await.as_deref(), Some("connected"));
    for subject in [
        "lasegue.assessment.v1.red-flag-raised.00000000-0000-0000-0000-000000000001",
        "lasegue.receipt.assessment.00000000-0000-0000-0000-000000000001",
        "$JS.API.STREAM.DELETE.RED_FLAGS",
        "$JS.API.STREAM.PURGE.RED_FLAGS",
        "$JS.API.STREAM.PURGE.DEAD_LETTERS",
        "$JS.API.STREAM.CREATE.DEAD_LETTERS",
        "$JS.API.STREAM.UPDATE.INTAKE",
        "$JS.API.STREAM.DELETE.INTAKE",
        "$JS.API.STREAM.SNAPSHOT.INTAKE",
        "$JS.API.CONSUMER.CREATE.INTAKE.another",
        "$JS.API.CONSUMER.CREATE.RED_FLAGS.alerting-red-flags.lasegue.assessment.v1.red-flag-raised.*",
        "$JS.API.CONSUMER.MSG.NEXT.RED_FLAGS.alerting-red-flags",
    ] {
        client.publish(subject, "".into()).await.expect("it leaves this process");
        client.flush().await.expect("the server reads it");
        let refusal = refused.recv().await.expect("the server answers").to_lowercase();
        assert!(refusal.contains("permissions violation") && refusal.contains(&subject.to_lowercase()), "{refusal}");
    }
    let _listening = client.subscribe("lasegue.assessment.>").await.expect("it leaves this process");
    let refusal = refused.recv().await.expect("the server answers").to_lowercase();
    assert!(refusal.contains("permissions violation for subscription"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused() {
    let server = guarded().await;
    let options = ConnectOptions::new().user_and_password("intake".to_owned(), "guessed".to_owned());
    assert!(options.connect(server.url()).await.is_err());
}
