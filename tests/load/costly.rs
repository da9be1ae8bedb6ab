//! What inputs that are made to cost much do cost one process: how long until they are answered and how much with, the most
//! memory that the process held, what it computed and wrote, and how long another patient's page took meanwhile.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use lasegue_testkit::caller::{Caller, calm_visit, import_record, saddle_visit};
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::pause;
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::measure::{PATIENCE, now};

/// How long after the costly input the other patient's red flag is sent.
const SHORTLY: Duration = Duration::from_millis(50);
/// How long a reader who never reads is there.
const READING: Duration = Duration::from_secs(5);
/// Readers who never read.
const READERS: usize = 30;
const MIB: usize = 1024 * 1024;

pub(crate) async fn run() {
    println!("In one process, each input on a new one:");
    for length in [1_000, 2_000, 10_000] {
        once(&format!("a chain of {length} corrections"), |place, _| imported(place, &chain(length))).await;
    }
    once("a field's name of 1,000 KiB", |place, episode| submitted(place, episode, &long_name(1_000 * 1024))).await;
    once("a field's name of 31 MiB in an import", |place, _| imported(place, &long_name(31 * MIB))).await;
    let dotted = json!({ "a.".repeat(15 * MIB): 1 });
    once("a name of 30 MiB in parts in an import", |place, _| imported(place, &dotted)).await;
    let wrapped = json!({ "a": format!("[{}0]", "0,".repeat(15 * MIB)) });
    once("a list of 15,000,000 in a text in an import", |place, _| imported(place, &wrapped)).await;
    let list = format!("[{}0]", "0,".repeat(249_000));
    let texts: Map<_, _> = (0..62).map(|text| (format!("a{text}"), json!(list))).collect();
    once("62 texts that hold 249,000 values each in an import", |place, _| imported(place, &texts.into())).await;
    let names: Map<_, _> = (0..240_000).map(|name| (format!("\u{438}{name:0114}"), json!(1))).collect();
    once("240,000 names of 116 bytes in an import", |place, _| imported(place, &names.into())).await;
    for fields in [20_000, 200_000] {
        let name = format!("300 danger signs beside {fields} unknown fields");
        once(&name, |place, _| imported(place, &dangerous(300, fields))).await;
    }
    once("80,000 unknown fields", |place, episode| submitted(place, episode, &unknown(80_000))).await;
    once("80,000 unknown fields in an import", |place, _| imported(place, &unknown(80_000))).await;
    readers().await;
}

/// Sends one input to a new process, another patient's red flag shortly after, and reports both.
async fn once(name: &str, request: impl FnOnce(&Clinic, &str) -> RequestBuilder) {
    let place = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    let caller = place.caller();
    let (episode, other) = (caller.register().await.expect("it answers"), caller.register().await.expect("it answers"));
    paged(&place, &caller.register().await.expect("it answers")).await;
    let before = Spent::of(&place);
    let (sent, request) = (now(), request(&place, &episode).timeout(Duration::from_mins(10)));
    let answering = async {
        let answer = request.send().await.expect("it answers");
        let status = answer.status();
        let size = answer.bytes().await.expect("the answer ends").len();
        (status, size, sent.elapsed())
    };
    let beside = async {
        pause(SHORTLY).await;
        paged(&place, &other).await
    };
    let ((status, size, took), page) = tokio::join!(answering, beside);
    // What it set going is over when nothing computes any more.
    let all = settled(&place, &before).await;
    println!(
        "{name:<48} {status} after {:>6.2} s with {size:>7} bytes   {all}   page {:>5.0} ms",
        took.as_secs_f64(),
        page.as_secs_f64() * 1e3
    );
}

/// Readers of a large episode who never read what they asked for.
async fn readers() {
    let place = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    let caller = place.caller();
    let answer = imported(&place, &noted()).send().await.expect("it answers");
    let outcome: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("one line of JSON");
    let episode = outcome["episode"].as_str().expect("it was taken").to_owned();
    let other = caller.register().await.expect("it answers");
    paged(&place, &caller.register().await.expect("it answers")).await;
    let size = caller.get(&format!("/episodes/{episode}")).send().await.expect("it answers").bytes().await;
    let (before, token) = (Spent::of(&place), place.tokens(&["--role", "clinician", "--subject", "dr-b"]));
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        let mut socket = TcpStream::connect(place.address()).await.expect("it listens");
        let head = format!(
            "GET /api/v1/episodes/{episode} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n",
            token.trim()
        );
        socket.write_all(head.as_bytes()).await.expect("it listens");
        sockets.push(socket);
    }
    let page = paged(&place, &other).await;
    pause(READING).await;
    let all = Spent::of(&place).since(&before);
    println!(
        "{READERS} readers who never read an answer of {} bytes {:>26}   {all}   page {:>5.0} ms",
        size.expect("the answer ends").len(),
        "",
        page.as_secs_f64() * 1e3
    );
}

/// How long the page of a red flag of `episode` takes.
async fn paged(place: &Clinic, episode: &str) -> Duration {
    let (caller, sent) = (place.caller(), now());
    let answer = caller.submit(episode, "page", &saddle_visit("v1")).await.expect("it answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    let alert = alert_of(&caller, episode, sent).await;
    let is_its = |page: &&lasegue_testkit::pager::Page| page.body.to_string().contains(&alert);
    let pages = place.pager().wait_for(PATIENCE, |pages| pages.iter().any(|page| is_its(&page))).await;
    let pages = pages.expect("the page arrives");
    pages.iter().find(is_its).expect("it arrived").at - sent
}

async fn alert_of(caller: &Caller, episode: &str, since: Instant) -> String {
    while since.elapsed() < PATIENCE {
        let alerts = caller.json("/alerts?limit=500").await;
        let its = |alert: &&Value| alert["episode_id"] == episode;
        if let Some(id) = alerts["alerts"].as_array().and_then(|all| all.iter().find(its)?["id"].as_str()) {
            return id.to_owned();
        }
        pause(Duration::from_millis(5)).await;
    }
    panic!("no alert was opened");
}

fn submitted(place: &Clinic, episode: &str, body: &Value) -> RequestBuilder {
    place.caller().post(&format!("/episodes/{episode}/submissions"), body).header("idempotency-key", "costly")
}

fn imported(place: &Clinic, record: &Value) -> RequestBuilder {
    Caller::new(place.caller().url, place.token_for("system")).post("/imports", record)
}

/// A record in which each visit corrects the one before.
fn chain(length: usize) -> Value {
    let visit = |number: usize| {
        let mut visit = calm_visit(&format!("v{number}"));
        visit["received_at"] = visit["assessed_at"].clone();
        if let Some(before) = number.checked_sub(1) {
            visit["supersedes"] = json!(format!("v{before}"));
        }
        visit
    };
    let mut record = import_record("chain");
    record["submissions"] = (0..length).map(visit).collect::<Vec<_>>().into();
    record
}

fn long_name(length: usize) -> Value {
    json!({ "x".repeat(length): 1 })
}

fn unknown(fields: usize) -> Value {
    Value::Object((0..fields).map(|number| (format!("f{number}"), json!(1))).collect::<Map<_, _>>())
}

fn dangerous(signs: usize, fields: usize) -> Value {
    let mut record = import_record("danger");
    record["submissions"] = (0..signs).map(|number| saddle_visit(&format!("v{number}"))).collect::<Vec<_>>().into();
    record["contact"] = unknown(fields);
    record
}

/// A record with as many signatures as one page of an episode shows, each with the longest note there is.
fn noted() -> Value {
    let mut record = import_record("large");
    let at = record["submissions"][0]["assessed_at"].clone();
    let signed = |number: usize| {
        let note = format!("{number:04}{}", "\u{1d11e}".repeat(9_996));
        json!({ "kind": "longstanding", "item": "saddle_sensation", "by": "dr-a", "at": at, "note": note })
    };
    record["adjudications"] = (0..25).map(signed).collect::<Vec<_>>().into();
    record
}

/// What a process has spent so far.
struct Spent {
    computed: Duration,
    memory: usize,
    written: u64,
}

impl Spent {
    fn of(place: &Clinic) -> Self {
        let process = format!("/proc/{}", place.process());
        let read = |file: &str| fs::read_to_string(format!("{process}/{file}")).expect("the process runs");
        let stat = read("stat");
        let ticks: u64 =
            stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2).flat_map(str::parse::<u64>).sum();
        let most = |line: &str| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<usize>().ok();
        let memory = read("status").lines().find_map(most).expect("the most memory it held");
        Self { computed: Duration::from_millis(ticks * 10), memory: memory / 1024, written: size(&place.data()) }
    }

    fn since(self, before: &Self) -> Self {
        Self {
            computed: self.computed.saturating_sub(before.computed),
            memory: self.memory - before.memory,
            written: self.written.saturating_sub(before.written),
        }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (computed, written) = (self.computed.as_secs_f64(), self.written / MIB as u64);
        write!(out, "{computed:>6.2} s computed, {:>4} MiB more memory, {written:>4} MiB more on disk", self.memory)
    }
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("the data folder is there").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// What was spent once nothing has been computed for a second.
async fn settled(place: &Clinic, before: &Spent) -> Spent {
    let mut last = Spent::of(place).computed;
    loop {
        pause(Duration::from_secs(1)).await;
        let now = Spent::of(place);
        if now.computed.saturating_sub(last) < Duration::from_millis(50) {
            return now.since(before);
        }
        last = now.computed;
    }
}
