//! With a process for each role, on NATS and PostgreSQL in containers, and where the time goes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, stream};
use axum::Router;
use axum::routing::post;
use futures_util::StreamExt;
use lasegue_contracts::Service;
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::store::Location;
use lasegue_testkit::containers::{NATS_NEWEST, Nats, Postgres};
use lasegue_testkit::installation::Fleet;
use lasegue_testkit::pager::Pager;

use crate::chain::{Chain, commit, serve, store};
use crate::measure::{Measured, now, pages, report, times};

/// Pages measured.
const PAGES: usize = 500;
/// The stages of a page, each by the event whose commit ends it.
const STAGES: [(&str, &str, &str); 3] = [
    ("request to intake's commit", "intake", "submission-accepted"),
    ("intake's commit to assessment's", "assessment", "red-flag-raised"),
    ("assessment's commit to alerting's", "alerting", "alert-opened"),
];

pub(crate) async fn run() {
    let chain = Box::pin(bare_chain()).await;
    chain.measure(20).await;
    let baseline = chain.measure(PAGES).await;
    let fleet = Fleet::open(env!("CARGO_BIN_EXE_lasegue"), 1).await;
    pages(&fleet, "warm", 20, || false).await;
    let measured = pages(&fleet, "apart", PAGES, || false).await;
    println!("With a process for each role:");
    report("the bare chain of commits and hops", &baseline, &baseline);
    report("request to page", &times(&measured), &baseline);
    where_the_time_goes(&fleet, &measured).await;
}

/// The time of each stage, by the instants that the services wrote with their events.
async fn where_the_time_goes(fleet: &Fleet, measured: &[Measured]) {
    let mut last: HashMap<_, _> = measured.iter().map(|one| (one.episode.clone(), seconds(one.sent))).collect();
    for (name, schema, event) in STAGES {
        let committed = committed(fleet, schema, event).await;
        let mut spent = Vec::new();
        for (episode, since) in &mut last {
            let at = committed[episode];
            spent.push(Duration::from_secs_f64((at - *since).max(0.0)));
            *since = at;
        }
        report(name, &spent, &times(measured));
    }
    let sending =
        measured.iter().map(|one| Duration::from_secs_f64((seconds(one.paged) - last[&one.episode]).max(0.0)));
    report("alerting's commit to the page", &sending.collect::<Vec<_>>(), &times(measured));
}

/// When each episode's event was committed, in seconds since 1970.
async fn committed(fleet: &Fleet, schema: &str, event: &str) -> HashMap<String, f64> {
    let rows = fleet
        .ground
        .postgres
        .query(&format!(
            "SELECT substring(subject FROM '[^.]*$'), extract(epoch FROM created_at) FROM {schema}.outbox WHERE subject LIKE '%.{event}.%'"
        ))
        .await;
    let row = |row: &str| {
        let (episode, at) = row.split_once('|').expect("two columns");
        (episode.to_owned(), at.parse().expect("a number"))
    };
    rows.lines().map(row).collect()
}

/// The machine's clock at an instant, in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are exact in a double")]
fn seconds(instant: Instant) -> f64 {
    let ago = now().duration_since(instant);
    SystemClock.now().timestamp_micros() as f64 / 1e6 - ago.as_secs_f64()
}

/// A request through a front door, a commit in each of three steps with a stream of JetStream between them, a request out.
async fn bare_chain() -> Chain {
    lasegue_platform::tls::install();
    let pager = Pager::start("bare").await;
    let (nats, postgres) = tokio::join!(Nats::start(NATS_NEWEST), Postgres::start());
    postgres.make("bare").await;
    let client = async_nats::connect(nats.url()).await.expect("the server is up");
    let jetstream = jetstream::new(client);
    let http = reqwest::Client::new();
    let of = |service| store(service, Location::Postgres(postgres.url(service, "bare")));
    let (intake, assessment, alerting) =
        (of(Service::Intake).await, of(Service::Assessment).await, of(Service::Alerting).await);
    let (onward, out) = (jetstream.clone(), (http.clone(), pager.url().to_owned()));
    let assess: Work = Arc::new(move || {
        let (store, onward) = (assessment.clone(), onward.clone());
        Box::pin(async move {
            commit(&store).await;
            publish(&onward, "second").await;
        })
    });
    let page: Work = Arc::new(move || {
        let (store, (http, url)) = (alerting.clone(), out.clone());
        Box::pin(async move {
            commit(&store).await;
            http.post(url).body("{}").send().await.expect("the pager answers");
        })
    });
    step(&jetstream, "first", assess).await;
    step(&jetstream, "second", page).await;
    let accept = move || {
        let (store, jetstream) = (intake.clone(), jetstream.clone());
        async move {
            commit(&store).await;
            tokio::spawn(async move { publish(&jetstream, "first").await });
        }
    };
    let (door, behind) = (http.clone(), serve(Router::new().route("/", post(accept))).await);
    let pass = move || {
        let (door, behind) = (door.clone(), behind.clone());
        async move { drop(door.post(behind).send().await.expect("it answers")) }
    };
    let url = serve(Router::new().route("/", post(pass))).await;
    Chain { url, pager, http, _keep: Box::new((nats, postgres)) }
}

type Work = Arc<dyn Fn() -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;

/// Does `work` for each message of a stream of its own.
async fn step(jetstream: &jetstream::Context, name: &str, work: Work) {
    let config = stream::Config { name: name.to_owned(), subjects: vec![name.to_owned()], ..Default::default() };
    let stream = jetstream.create_stream(config).await.expect("the server is up");
    let durable = pull::Config { durable_name: Some(name.to_owned()), ..Default::default() };
    let messages = stream.create_consumer(durable).await.expect("the server is up").messages().await;
    let mut messages = messages.expect("the server is up");
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            work().await;
            message.ack().await.expect("the server is up");
        }
    });
}

async fn publish(jetstream: &jetstream::Context, subject: &'static str) {
    let sent = jetstream.publish(subject, "{}".into()).await.expect("the server is up");
    sent.await.expect("it is stored");
}
