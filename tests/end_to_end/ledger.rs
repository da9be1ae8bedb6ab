//! A ledger of everything that was answered with 202, and the promises that come with it: it is assessed, its red flag is
//! paged, nothing is done twice, and no page comes twice unless it says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, calm_visit, saddle_visit};
use lasegue_testkit::installation::Installation;
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::{eventually, pause};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::task::JoinSet;

/// How long an accepted red flag may take to be paged before it counts as lost.
const PATIENCE: Duration = Duration::from_mins(2);
/// Submissions of a burst, and how many of them come before its middle.
const BURST: usize = 200;
const MIDDLE: usize = 60;
/// Each so many-th submission of a burst has a red flag.
const RED_FLAG_EVERY: usize = 10;
/// The alerts that say no more than that a part stood still, or that what it is to handle is tried again still.
const OUTAGES: [&str; 3] = ["events-held-up", "nothing-stored", "failing-events"];
/// Callers of a burst.
const AT_ONCE: usize = 8;

/// Everything that was accepted.
pub(crate) type Ledger = Vec<Promise>;

/// An accepted submission.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    episode: String,
    submission: String,
    red_flag: bool,
}

/// Submits one visit of one patient; the call is repeated until it is answered.
async fn submit(caller: &Caller, episode: String, red_flag: bool) -> Promise {
    let visit = if red_flag { saddle_visit("v1") } else { calm_visit("v1") };
    let answer = persist(|| async {
        let answer = caller.submit(&episode, "first", &visit).await?.error_for_status()?;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json::<Value>().await
    })
    .await;
    let submission = answer["id"].as_str().expect("an id").to_owned();
    Promise { episode, submission, red_flag }
}

/// Repeats a call until the installation, dead or alive again, has answered it.
pub(crate) async fn persist<T, F: Future<Output = Result<T, reqwest::Error>>>(call: impl Fn() -> F) -> T {
    let mut failure = None;
    for _ in 0..2_000 {
        match call().await {
            Ok(answer) => return answer,
            // What is wrong with the call itself does not pass.
            Err(error) if error.status().is_some_and(|status| status.is_client_error()) => panic!("refused: {error}"),
            Err(error) => failure = Some(error),
        }
        pause(Duration::from_millis(20)).await;
    }
    panic!("the installation never answered again: {failure:?}");
}

/// Callers who submit, one patient after the other, until told to stop.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    writing: JoinSet<Ledger>,
}

impl Writers {
    pub(crate) fn start(caller: &Caller, seed: u64) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let writing = (0..4).map(|number| write(caller.clone(), seed * 1_000 + number, stop.clone())).collect();
        Self { stop, writing }
    }

    pub(crate) async fn stop(self) -> Ledger {
        self.stop.store(true, Ordering::SeqCst);
        self.writing.join_all().await.concat()
    }
}

async fn write(caller: Caller, seed: u64, stop: Arc<AtomicBool>) -> Ledger {
    let mut random = StdRng::seed_from_u64(seed);
    let mut ledger = Ledger::new();
    while !stop.load(Ordering::SeqCst) {
        let episode = persist(|| caller.register()).await;
        ledger.push(submit(&caller, episode, random.random_ratio(1, 3)).await);
    }
    ledger
}

/// 200 submissions of as many patients, 20 of them with a red flag, from several callers at once.
pub(crate) struct Burst {
    accepted: Arc<AtomicUsize>,
    writing: JoinSet<Ledger>,
}

impl Burst {
    pub(crate) async fn begin(caller: &Caller) -> Self {
        let accepted = Arc::<AtomicUsize>::default();
        let mut shares = vec![Vec::new(); AT_ONCE];
        for number in 0..BURST {
            shares[number % AT_ONCE].push((persist(|| caller.register()).await, number % RED_FLAG_EVERY == 0));
        }
        let share = |share: Vec<(String, bool)>| {
            let (caller, accepted) = (caller.clone(), accepted.clone());
            async move {
                let mut ledger = Ledger::new();
                for (episode, red_flag) in share {
                    ledger.push(submit(&caller, episode, red_flag).await);
                    accepted.fetch_add(1, Ordering::SeqCst);
                }
                ledger
            }
        };
        Self { writing: shares.into_iter().map(share).collect(), accepted }
    }

    /// Resolves in the middle of it.
    pub(crate) async fn middle(&self) {
        eventually("the burst is half over", || async { self.accepted.load(Ordering::SeqCst) >= MIDDLE }).await;
    }

    pub(crate) async fn end(self) -> Ledger {
        self.writing.join_all().await.concat()
    }
}

/// A calm patient of the ledger reports a red flag, and nothing else is promised of that episode any more.
pub(crate) async fn worsen(caller: &Caller, ledger: &mut Ledger) {
    let calm = ledger.iter_mut().find(|promise| !promise.red_flag).expect("somebody is calm");
    let answer = persist(|| async {
        caller.submit(&calm.episode, "second", &saddle_visit("v2")).await?.error_for_status()?.json::<Value>().await
    });
    answer.await["id"].as_str().expect("an id").clone_into(&mut calm.submission);
    calm.red_flag = true;
}

/// Every submission is assessed once, every red flag paged, and only marked pages come again.
pub(crate) async fn every_promise_is_kept(place: &impl Installation, ledger: &Ledger) {
    for promise in ledger {
        assessed(&place.caller(), promise).await;
        assert_eq!(results(&place.caller(), promise).await, 1, "one visit: {promise:?}");
    }
    the_pages_are_right(place, ledger).await;
}

/// The same while the protocol changed, which lets every episode be judged again.
pub(crate) async fn every_promise_is_kept_by_any_protocol(place: &impl Installation, ledger: &Ledger) {
    for promise in ledger {
        assessed(&place.caller(), promise).await;
        assert!(results(&place.caller(), promise).await >= 1, "one visit: {promise:?}");
    }
    the_pages_are_right(place, ledger).await;
}

async fn the_pages_are_right(place: &impl Installation, ledger: &Ledger) {
    let pages = every_red_flag_is_paged(place, ledger).await;
    assert!(pages.iter().all(|page| page.signed));
    no_duplicate_is_unmarked(&pages);
    let marked = pages.iter().filter(|page| page.possible_duplicate()).count();
    println!(
        "{} accepted, {} of them red flags; {} pages, {marked} of them marked as possible duplicates",
        ledger.len(),
        ledger.iter().filter(|promise| promise.red_flag).count(),
        pages.len()
    );
}

/// The pages about patients, once there is one for each red flag; more alerts than red flags would be something done twice.
pub(crate) async fn every_red_flag_is_paged(place: &impl Installation, ledger: &Ledger) -> Vec<Page> {
    let flagged: BTreeSet<_> =
        ledger.iter().filter(|promise| promise.red_flag).map(|promise| &promise.episode).collect();
    let alerts = |pages: &[Page]| {
        let about_patients = pages.iter().filter(|page| !is_for_the_operator(page));
        about_patients.map(|page| page.text("reference").to_owned()).collect::<BTreeSet<_>>().len()
    };
    let waited = place.pager().wait_for(PATIENCE, |pages| alerts(pages) >= flagged.len()).await;
    let pages = waited.unwrap_or_else(|pages| panic!("{} red flags, {} paged", flagged.len(), alerts(&pages)));
    let (operators, patients): (Vec<_>, Vec<_>) = pages.into_iter().partition(is_for_the_operator);
    only_outages_were_told(place, &operators).await;
    assert!(patients.iter().all(|page| page.text("severity") == "emergency"), "no red flag is behind: {patients:#?}");
    assert_eq!(alerts(&patients), flagged.len());
    patients
}

fn is_for_the_operator(page: &Page) -> bool {
    page.text("severity") == "operator"
}

/// What is killed again and again on a busy machine may stand still long enough for the operator to hear of it. Nothing
/// else may be told: no event that was set aside, no step of an alert that was overlooked.
async fn only_outages_were_told(place: &impl Installation, pages: &[Page]) {
    let about = |page: &Page| page.body["alerts"].as_array().cloned().unwrap_or_default();
    for alert in pages.iter().flat_map(about) {
        let id = alert["id"].as_str().expect("an id");
        let shown = persist(|| async {
            place.caller().get(&format!("/alerts/{id}")).send().await?.error_for_status()?.json::<Value>().await
        });
        let shown = shown.await;
        println!("the operator was told: {shown:#}");
        let code = shown["alert"]["code"].as_str().and_then(|code| code.split(':').next()).unwrap_or_default();
        assert!(OUTAGES.contains(&code), "an alert that no outage explains: {shown:#}");
    }
}

/// How many results there are of an episode.
async fn results(caller: &Caller, promise: &Promise) -> usize {
    let history = caller.get(&format!("/episodes/{}/assessment?history=true", promise.episode)).send().await;
    let history: Value = history.expect("it answers").json().await.expect("JSON");
    history["results"].as_array().expect("a list").len()
}

/// Waits until the submission and its red flag are in the result.
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

/// One contact is paged about one revision once for each reason, such as a step of the escalation; whatever comes beyond
/// is marked.
pub(crate) fn no_duplicate_is_unmarked(pages: &[Page]) {
    let mut unmarked: BTreeMap<[&str; 2], usize> = BTreeMap::new();
    for page in pages.iter().filter(|page| !page.possible_duplicate()) {
        *unmarked.entry(["page_id", "reason"].map(|field| page.text(field))).or_default() += 1;
    }
    for (page, count) in unmarked {
        assert_eq!(count, 1, "{page:?} came {count} times unmarked");
    }
}
