//! What else goes on while an installation is torn at: imports without end, and a protocol that is changed there and back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, import_record};
use lasegue_testkit::installation::Installation;
use lasegue_testkit::wait::pause;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::ledger::persist;

/// Records of one import request.
const RECORDS: usize = 20;
/// Between one import, or one change of the protocol, and the next.
const PAUSE: Duration = Duration::from_millis(150);
/// How long an imported record may take to be assessed by the protocol that was activated last.
const LOOKS: usize = 2_400;

/// Imports and protocol changes under way.
pub(crate) struct Unrest {
    stop: Arc<AtomicBool>,
    imports: JoinHandle<Vec<String>>,
    changes: JoinHandle<Changes>,
}

/// What was acknowledged: the imported episodes, and the hash of the protocol that was activated last.
pub(crate) struct Done {
    imported: Vec<String>,
    changes: Changes,
}

struct Changes {
    active: String,
    count: usize,
}

impl Unrest {
    /// `seed` keeps the imported records apart from those of another unrest.
    pub(crate) async fn start(place: &impl Installation, seed: u64) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let url = place.caller().url;
        let importer = Caller::new(&url, place.token_for("system"));
        let [author, approver] =
            ["owner-a", "owner-b"].map(|name| Caller::new(&url, place.token_of("protocol-owner", name)));
        let hashes = both_protocols(&author).await;
        let imports = tokio::spawn(import(importer, seed, stop.clone()));
        let changes = tokio::spawn(change(author, approver, hashes, stop.clone()));
        Self { stop, imports, changes }
    }

    pub(crate) async fn stop(self) -> Done {
        self.stop.store(true, Ordering::SeqCst);
        let imported = self.imports.await.expect("the importer ends");
        let changes = self.changes.await.expect("the owners end");
        Done { imported, changes }
    }
}

impl Done {
    /// Every imported record is assessed, by the protocol that was activated last.
    pub(crate) async fn is_kept(&self, caller: &Caller) {
        assert!(self.changes.count > 0 && !self.imported.is_empty(), "the kills left no time for anything else");
        for episode in &self.imported {
            self.judged(caller, episode).await;
        }
        println!("{} records imported, {} changes of the protocol", self.imported.len(), self.changes.count);
    }

    async fn judged(&self, caller: &Caller, episode: &str) {
        let mut last = Value::Null;
        for _ in 0..LOOKS {
            if let Ok(answer) = caller.get(&format!("/episodes/{episode}/assessment")).send().await
                && answer.status() == StatusCode::OK
                && let Ok(result) = answer.json::<Value>().await
            {
                last = result["protocol"]["sha256"].clone();
                if last == self.changes.active.as_str() {
                    return;
                }
            }
            pause(Duration::from_millis(50)).await;
        }
        panic!("{episode} was imported and is judged by {last}, not by {}", self.changes.active);
    }
}

/// The built-in protocol's hash, and that of one with another threshold, which is brought.
async fn both_protocols(author: &Caller) -> [String; 2] {
    let kept: Value = persist(|| async { author.get("/protocols").send().await?.json().await }).await;
    let built_in = kept["protocols"][0]["sha256"].as_str().expect("a protocol is there").to_owned();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols/lumbosacral-radiculopathy.toml");
    let text = std::fs::read_to_string(file).expect("it is there");
    let changed = text.replacen("[thresholds.residual]\nvalue = 200", "[thresholds.residual]\nvalue = 150", 1);
    assert_ne!(text, changed);
    let brought: Value = persist(|| async {
        let call = author.post("/protocols", &Value::Null).body(changed.clone());
        call.send().await?.error_for_status()?.json().await
    })
    .await;
    [built_in, brought["sha256"].as_str().expect("a hash").to_owned()]
}

async fn import(caller: Caller, seed: u64, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut episodes = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let lines: String =
            (0..RECORDS).map(|record| import_record(&format!("{seed}-{number}-{record}")).to_string() + "\n").collect();
        let answer = persist(|| async {
            let call = caller.post("/imports", &Value::Null).body(lines.clone());
            call.send().await?.error_for_status()?.text().await
        })
        .await;
        let outcomes: Vec<Value> =
            answer.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        assert_eq!(outcomes.len(), RECORDS, "{answer}");
        episodes.extend(outcomes.iter().map(|taken| taken["episode"].as_str().expect("it was taken").to_owned()));
        pause(PAUSE).await;
    }
    episodes
}

async fn change(author: Caller, approver: Caller, hashes: [String; 2], stop: Arc<AtomicBool>) -> Changes {
    let mut changes = Changes { active: hashes[0].clone(), count: 0 };
    while !stop.load(Ordering::SeqCst) {
        let next = &hashes[(changes.count + 1) % 2];
        // The author of the changed protocol may not activate it; the built-in one has another author.
        let caller = if changes.count.is_multiple_of(2) { &approver } else { &author };
        persist(|| async {
            let call = caller.post(&format!("/protocols/{next}/activate"), &json!({ "backtest": "none: a test" }));
            let answer = call.send().await?;
            // An answer that a kill swallowed: it was activated already.
            if answer.status() == StatusCode::CONFLICT { Ok(answer) } else { answer.error_for_status() }
        })
        .await;
        changes = Changes { active: next.clone(), count: changes.count + 1 };
        pause(PAUSE * 3).await;
    }
    changes
}
