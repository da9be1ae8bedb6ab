//! Each service's NATS user may do its own work and nothing besides.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_nats::ConnectOptions;
use lasegue_contracts::Service;
use lasegue_platform::bus::{NatsConfig, authorization};
use lasegue_platform::tls;
use lasegue_testkit::containers::{NATS_NEWEST, Nats};
use tokio::sync::mpsc;

use crate::conformance;
use crate::nats::NatsWorld;

const PASSWORD: &str = "for-tests-only";

async fn guarded() -> Nats {
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
        config: NatsConfig { max_stream_bytes: 64 << 20, passwords, ..NatsConfig::single(server.url()) },
        server,
    };
    conformance::an_event_that_cannot_be_understood_is_set_aside_and_told(&world).await;
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
