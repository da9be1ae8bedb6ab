//! Waiting for real work: databases, sockets and processes move on the machine's clock, whatever the test's clock shows.

use std::time::Duration;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long it may take before the test counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `holds`.
///
/// # Panics
/// With `what` when it does not hold within a minute.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            pause(LOOK_EVERY).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never came true: {what}");
}

/// What `waited` comes to.
///
/// # Panics
/// With `what` when it does not come within a minute.
pub async fn within<F: Future>(what: &str, waited: F) -> F::Output {
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("never came true: {what}"))
}

/// Lets real time pass: to give something the chance to happen that must not.
#[expect(clippy::disallowed_methods, reason = "a test waits for real work")]
pub async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
