//! Kills: the process dies at any instant, again and again, and keeps every promise it made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::pause;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use serde_json::Value;

use lasegue_testkit::clinic::{Caller, Clinic, calm_visit, saddle_visit};

/// Everything that was answered with 202: the episode, the submission's id, and whether it holds a red flag.
type Ledger = Vec<Promise>;

#[derive(Clone, Debug)]
struct Promise {
    episode: String,
    submission: String,
    red_flag: bool,
}

#[tokio::test]
async fn nothing_accepted_is_lost_over_20_kills() {
    kills(1, 20).await;
}

#[tokio::test]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn nothing_accepted_is_lost_over_200_kills() {
    kills(2, 200).await;
}

async fn kills(seed: u64, count: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut clinic = crate::clinic().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..4).map(|number| tokio::spawn(write(clinic.caller(), seed, number, stop.clone()))).collect();
    for _ in 0..count {
        pause(Duration::from_millis(random.random_range(20..600))).await;
        clinic.kill();
        clinic.start_again().await;
    }
    pause(Duration::from_millis(500)).await;
    stop.store(true, Ordering::SeqCst);
    let mut ledger = Ledger::new();
    for writer in writers {
        ledger.extend(writer.await.expect("a writer ends well"));
    }
    assert!(ledger.len() >= count, "the kills left hardly any time to write: {} for {count}", ledger.len());
    every_promise_is_kept(&clinic, &ledger).await;
}

/// Submits, one patient after the other, until told to stop; every call is repeated until it is answered.
async fn write(caller: Caller, seed: u64, number: usize, stop: Arc<AtomicBool>) -> Ledger {
    let mut random = StdRng::seed_from_u64(seed * 1_000 + number as u64);
    let mut ledger = Ledger::new();
    while !stop.load(Ordering::SeqCst) {
        let episode = persist(|| caller.register()).await;
        let red_flag = random.random_ratio(1, 3);
        let visit = if red_flag { saddle_visit("v1") } else { calm_visit("v1") };
        let answer = persist(|| async {
            let answer = caller.submit(&episode, "first", &visit).await?;
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            answer.json::<Value>().await
        })
        .await;
        let submission = answer["id"].as_str().expect("an id").to_owned();
        ledger.push(Promise { episode, submission, red_flag });
    }
    ledger
}

/// Repeats a call until the process, dead or alive again, has answered it.
async fn persist<T, F: Future<Output = Result<T, reqwest::Error>>>(call: impl Fn() -> F) -> T {
    for _ in 0..2_000 {
        if let Ok(answer) = call().await {
            return answer;
        }
        pause(Duration::from_millis(20)).await;
    }
    panic!("the process never answered again");
}

async fn every_promise_is_kept(clinic: &Clinic, ledger: &Ledger) {
    let caller = clinic.caller();
    for promise in ledger {
        assessed(&caller, promise).await;
    }
    let flagged: BTreeSet<_> =
        ledger.iter().filter(|promise| promise.red_flag).map(|promise| &promise.episode).collect();
    let count_paged = |pages: &[Page]| pages.iter().map(|page| page.text("reference")).collect::<BTreeSet<_>>().len();
    let waited = clinic.pager.wait_for(Duration::from_mins(1), |pages| count_paged(pages) >= flagged.len()).await;
    let pages = waited.unwrap_or_else(|pages| panic!("{} red flags, {} paged", flagged.len(), count_paged(&pages)));
    assert!(pages.iter().all(|page| page.signed));
    no_duplicate_is_unmarked(&pages);
    let marked = pages.iter().filter(|page| page.possible_duplicate()).count();
    println!(
        "{} accepted, {} of them red flags; {} pages, {marked} of them marked as possible duplicates",
        ledger.len(),
        flagged.len(),
        pages.len()
    );
}

/// The submission was assessed, and its red flag is in the result.
async fn assessed(caller: &Caller, promise: &Promise) {
    for _ in 0..1_200 {
        let answer = caller.get(&format!("/episodes/{}/assessment", promise.episode)).send().await;
        if let Ok(answer) = answer
            && answer.status() == StatusCode::OK
            && let Ok(result) = answer.json::<Value>().await
        {
            assert_eq!(result["visit"], promise.submission.as_str());
            let emergency = result["findings"][0]["severity"] == "emergency";
            assert_eq!(emergency, promise.red_flag, "{promise:?}");
            return;
        }
        pause(Duration::from_millis(50)).await;
    }
    panic!("accepted, but never assessed: {promise:?}");
}

/// One alert pages one contact once; whatever comes beyond is marked.
fn no_duplicate_is_unmarked(pages: &[Page]) {
    let mut by_alert: BTreeMap<&str, Vec<&Page>> = BTreeMap::new();
    for page in pages {
        by_alert.entry(page.text("reference")).or_default().push(page);
    }
    for (reference, pages) in by_alert {
        let unmarked = pages.iter().filter(|page| !page.possible_duplicate()).count();
        assert!(unmarked <= 1, "{reference} was paged {unmarked} times unmarked");
    }
}
