//! PostgreSQL takes no writes for a while, for it is read-only or its standby is not the primary yet, while reports come
//! in: what was acknowledged is kept, each red flag is paged, and nothing is started again.

use std::time::Duration;

use lasegue_testkit::caller::{Caller, registration, saddle_visit};
use lasegue_testkit::installation::{Fleet, Installation, Role};
use lasegue_testkit::wait::{eventually, pause};
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::two_ways::{Accepted, each_is_paged, now};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");
/// Between one report and the next.
const PAUSE: Duration = Duration::from_millis(400);
/// How long reports come in before and after.
const AROUND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_takes_no_writes_nothing_acknowledged_is_lost_and_every_red_flag_is_paged() {
    no_writes_for(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn while_postgres_takes_no_writes_for_a_minute_nothing_acknowledged_is_lost_and_every_red_flag_is_paged() {
    no_writes_for(Duration::from_mins(1)).await;
}

async fn no_writes_for(span: Duration) {
    let fleet = Fleet::open_followed(BINARY).await;
    let stream = Stream::begin(&fleet.caller());
    pause(AROUND).await;
    read_only_and_back(&fleet, span).await;
    pause(AROUND).await;
    failover(&fleet, span).await;
    pause(AROUND).await;
    let accepted = stream.end().await;
    each_is_paged("over it all", &fleet, &mut Accepted::new(), accepted.clone()).await;
    for episode in accepted.keys() {
        let kept = fleet.caller().json(&format!("/episodes/{episode}")).await;
        assert_eq!(kept["submissions"].as_array().map(Vec::len), Some(1), "accepted once and kept once");
    }
}

/// The server is read-only, and writes again.
async fn read_only_and_back(fleet: &Fleet, span: Duration) {
    let postgres = &fleet.ground.postgres;
    postgres.refuse_writes().await;
    no_service_is_ready(fleet).await;
    pause(span).await;
    postgres.take_writes().await;
    fleet.all_ready().await;
}

/// The primary is read-only from now on; the address leads to its standby, which only becomes the primary later.
async fn failover(fleet: &Fleet, span: Duration) {
    let (old, standby) = (&fleet.ground.postgres, fleet.ground.standby.as_ref().expect("there is one"));
    old.refuse_writes().await;
    standby.takes_the_address();
    no_service_is_ready(fleet).await;
    pause(span).await;
    standby.server.promote().await;
    fleet.all_ready().await;
    eventually("no role uses the old server any more", || async {
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lasegue-%'";
        old.query(left).await.trim() == "0"
    })
    .await;
}

/// Each service says that it cannot store anything, and the front door that it is not ready.
async fn no_service_is_ready(fleet: &Fleet) {
    for role in Role::ALL {
        let [process] = fleet.of(role)[..] else { panic!("one process of each role") };
        eventually("it is not ready", || async {
            let told = fleet.readiness(process).await;
            let checks = told["checks"].as_object().expect("its checks");
            let stores = |(name, outcome): (&String, &Value)| !name.ends_with(" database") || outcome == "ok";
            told["ready"] == false && (role == Role::Web || !checks.iter().all(stores))
        })
        .await;
    }
}

/// Red flags of one patient after the other. Whoever gets 503 sends again under the same key, after `Retry-After`.
struct Stream {
    begun: Instant,
    stop: tokio::sync::watch::Sender<bool>,
    reports: tokio::task::JoinHandle<Vec<Report>>,
}

/// A red flag that was taken at last.
struct Report {
    episode: String,
    accepted: Instant,
    /// How long each refusal before it took.
    refusals: Vec<Duration>,
}

impl Stream {
    fn begin(caller: &Caller) -> Self {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let caller = caller.clone();
        let reports = tokio::spawn(async move {
            let mut reports = JoinSet::new();
            while !*stopped.borrow() {
                reports.spawn(report(caller.clone()));
                pause(PAUSE).await;
            }
            reports.join_all().await
        });
        Self { begun: now(), stop, reports }
    }

    async fn end(self) -> Accepted {
        self.stop.send_replace(true);
        let reports = self.reports.await.expect("every report is taken");
        let refusals: Vec<_> = reports.iter().flat_map(|report| &report.refusals).collect();
        assert!(!refusals.is_empty(), "nothing was refused");
        println!(
            "{} reports in {:?}, sent again {} times; the longest refusal took {:?}",
            reports.len(),
            self.begun.elapsed(),
            refusals.len(),
            refusals.iter().max()
        );
        reports.into_iter().map(|report| (report.episode, report.accepted)).collect()
    }
}

async fn report(caller: Caller) -> Report {
    let mut refusals = Vec::new();
    let registered = insist(&mut refusals, || caller.post("/episodes", &registration()).send()).await;
    assert_eq!(registered.status(), StatusCode::CREATED);
    let registered: Value = registered.json().await.expect("JSON");
    let episode = registered["id"].as_str().expect("an id").to_owned();
    let visit = saddle_visit("v1");
    let accepted = insist(&mut refusals, || caller.submit(&episode, "first", &visit)).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    Report { episode, accepted: now(), refusals }
}

/// Sends a call again for as long as the answer is that the sender should, or there is none: a connection may end for having
/// been idle in the moment in which it is used again.
async fn insist<F>(refusals: &mut Vec<Duration>, send: impl Fn() -> F) -> Response
where
    F: Future<Output = Result<Response, reqwest::Error>>,
{
    loop {
        let begun = now();
        let Ok(answer) = send().await else {
            pause(PAUSE).await;
            continue;
        };
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        refusals.push(begun.elapsed());
        let again = answer.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        pause(Duration::from_secs(again.expect("it says when to send again"))).await;
    }
}
