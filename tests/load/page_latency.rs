//! How long from a submission's request to its page at the receiver: idle, while 6,000 records are imported, and beside
//! the same chain of commits and hops without our logic. Run it with `cargo bench --bench page_latency`.
//!
//! It sends to this machine only and stops by itself.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_contracts::scheduling::VisitDue;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store, StoreError};
use lasegue_testkit::clinic::{Clinic, saddle_visit};
use lasegue_testkit::pager::Pager;
use uuid::Uuid;

/// Pages measured while nothing else happens.
const IDLE: usize = 500;
/// Records imported while pages are measured.
const IMPORTED: &str = "6000";
/// Pages measured at most during the import.
const MOST: usize = 2_000;
/// How long a page may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let chain = Chain::start().await;
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    warm_up(&chain, &clinic).await;
    let baseline = chain.measure(IDLE).await;
    let idle = measure(&clinic, "idle", IDLE, || false).await;
    let mut import = import(&clinic);
    let loaded = measure(&clinic, "load", MOST, || import.try_wait().is_ok_and(|ended| ended.is_some())).await;
    let imported = import.wait().expect("the import ends");
    println!("import of {IMPORTED} records: {imported}");
    report("the bare chain of commits and hops", &baseline, &baseline);
    report("request to page, idle", &idle, &baseline);
    report("request to page, during the import", &loaded, &baseline);
}

async fn warm_up(chain: &Chain, clinic: &Clinic) {
    chain.measure(20).await;
    measure(clinic, "warm", 20, || false).await;
}

/// The times of `count` pages, one after the other, or fewer when `enough` says so.
async fn measure(clinic: &Clinic, name: &str, count: usize, mut enough: impl FnMut() -> bool) -> Vec<Duration> {
    let caller = clinic.caller();
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        if enough() {
            break;
        }
        let episode = caller.register().await.expect("it answers");
        let before = clinic.pager.pages().len();
        let sent = now();
        let answer =
            caller.submit(&episode, &format!("{name}-{number}"), &saddle_visit("v1")).await.expect("it answers");
        assert!(answer.status().is_success(), "{}", answer.status());
        let pages = clinic.pager.wait_for(PATIENCE, |pages| pages.len() > before).await.expect("the page arrives");
        times.push(pages[before].at - sent);
    }
    times
}

fn import(clinic: &Clinic) -> std::process::Child {
    let records = clinic.data().with_file_name("records.ndjson");
    let sample = Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["sample", "--patients", IMPORTED])
        .output()
        .expect("the binary was built");
    std::fs::write(&records, sample.stdout).expect("the folder takes a file");
    Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["import", "--url", &clinic.caller().url, "--data"])
        .arg(clinic.data())
        .arg(records)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}

fn report(name: &str, times: &[Duration], baseline: &[Duration]) {
    let ratio = |share| percentile(times, share).as_secs_f64() / percentile(baseline, share).as_secs_f64();
    let millis = |share| percentile(times, share).as_secs_f64() * 1e3;
    println!(
        "{name:<38} n {:>4}   p50 {:>6.2} ms ({:.2} x)   p99 {:>6.2} ms ({:.2} x)",
        times.len(),
        millis(0.5),
        ratio(0.5),
        millis(0.99),
        ratio(0.99)
    );
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index into a few thousand measurements"
)]
fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "a measurement is made with the machine's clock")]
fn now() -> Instant {
    Instant::now()
}

/// What a page costs without any logic: a request in, a commit in each of the four steps, a request out.
struct Chain {
    url: String,
    pager: Pager,
    http: reqwest::Client,
}

impl Chain {
    async fn start() -> Self {
        lasegue_platform::tls::install();
        let pager = Pager::start("bare").await;
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files").keep();
        let mut stores = Vec::new();
        for service in Service::ALL {
            let location = Location::Sqlite(folder.join(format!("{service}.sqlite")));
            let opened =
                Store::open(service, &location, Migrations::NONE, true, SystemClock::shared(), SystemRandom::shared());
            stores.push(opened.await.expect("an empty folder takes a database"));
        }
        let http = reqwest::Client::new();
        let (out, page_url) = (http.clone(), pager.url().to_owned());
        let handler = move || {
            let (stores, out, page_url) = (stores.clone(), out.clone(), page_url.clone());
            async move {
                for store in stores {
                    commit(&store).await;
                }
                out.post(page_url).body("{}").send().await.expect("the pager answers");
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
        let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(handler))).await });
        Self { url, pager, http }
    }

    async fn measure(&self, count: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let before = self.pager.pages().len();
            let sent = now();
            self.http.post(&self.url).send().await.expect("the chain answers");
            let pages = self.pager.wait_for(PATIENCE, |pages| pages.len() > before).await.expect("the page arrives");
            times.push(pages[before].at - sent);
        }
        times
    }
}

async fn commit(store: &Store) {
    store
        .commit::<_, StoreError, _>(|unit| {
            Box::pin(async move { unit.publish(Lane::Live, Uuid::nil(), &VisitDue::default()).await })
        })
        .await
        .expect("it commits");
}
