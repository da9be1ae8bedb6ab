//! What the load measurements share: pages one after the other, and percentiles beside those of a bare chain.

use std::time::{Duration, Instant};

use lasegue_testkit::caller::saddle_visit;
use lasegue_testkit::installation::Installation;

/// How long a page may take before it counts as lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One submission with a red flag, from its request to its page at the receiver.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) episode: String,
    pub(crate) sent: Instant,
    pub(crate) paged: Instant,
}

/// From request to page.
pub(crate) fn times(measured: &[Measured]) -> Vec<Duration> {
    measured.iter().map(|one| one.paged - one.sent).collect()
}

/// `count` pages, one after the other, or fewer when `enough` says so.
pub(crate) async fn pages(
    place: &impl Installation,
    name: &str,
    count: usize,
    mut enough: impl FnMut() -> bool,
) -> Vec<Measured> {
    let caller = place.caller();
    let mut measured = Vec::with_capacity(count);
    for number in 0..count {
        if enough() {
            break;
        }
        let episode = caller.register().await.expect("it answers");
        let before = place.pager().pages().len();
        let sent = now();
        let answer =
            caller.submit(&episode, &format!("{name}-{number}"), &saddle_visit("v1")).await.expect("it answers");
        assert!(answer.status().is_success(), "{}", answer.status());
        let pages = place.pager().wait_for(PATIENCE, |pages| pages.len() > before).await.expect("the page arrives");
        measured.push(Measured { episode, sent, paged: pages[before].at });
    }
    measured
}

pub(crate) fn report(name: &str, times: &[Duration], baseline: &[Duration]) {
    let ratio = |share| percentile(times, share).as_secs_f64() / percentile(baseline, share).as_secs_f64();
    let millis = |share| percentile(times, share).as_secs_f64() * 1e3;
    println!(
        "{name:<42} n {:>4}   p50 {:>6.2} ms ({:.2} x)   p99 {:>6.2} ms ({:.2} x)",
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
pub(crate) fn now() -> Instant {
    Instant::now()
}
