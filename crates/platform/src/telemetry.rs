//! What a process tells of its own running: logs, metrics, and the trace that a request carries through every event.

mod lines;
mod series;
mod trace;

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

use self::lines::Lines;
pub use self::series::{Kind, SERIES, Series, Words};
pub use self::trace::TraceContext;
use crate::clock::SharedClock;

/// Why telemetry could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no list of directives.
    #[error("the log filter is not understood: write directives such as `info` or `lasegue_alerting=debug,warn`")]
    Filter(#[from] ParseError),
    /// Another subscriber is installed.
    #[error("logging was set up twice")]
    Twice(#[from] TryInitError),
    /// The buckets are no buckets.
    #[error("the metrics could not be set up")]
    Metrics(#[from] BuildError),
}

/// Buckets of every histogram of seconds: from one commit to a request's time-out.
const SECONDS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// Buckets of how many units shared one commit.
const UNITS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How often what was measured is put into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// What logs a line for each migration, unless a filter asks for it by name: each store says in one how many it needed.
const QUIET: &str = "sea_orm_migration=warn";

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins logging to standard error: text for people, or JSON lines for machines. Once for a process.
///
/// # Errors
/// When the filter is not understood or logging has begun already.
pub fn start_logging(filter: &str, json: bool) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::try_new(format!("{QUIET},{filter}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Lines(io::stderr()));
    if json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.compact().with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish().try_init()?;
    }
    Ok(())
}

/// Begins counting, with every series of [`SERIES`]. Calling it again does nothing.
///
/// # Errors
/// When the metrics cannot be set up.
pub fn start_metrics() -> Result<(), TelemetryError> {
    if METRICS.get().is_none() {
        let seconds = Matcher::Suffix("seconds".to_owned());
        let units = Matcher::Full("store_units_per_commit".to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(seconds, SECONDS)?
            .set_buckets_for_metric(units, UNITS)?
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_ok() {
            // Two threads cannot both have installed the recorder.
            let _ = METRICS.set(handle);
            series::register();
        }
    }
    Ok(())
}

/// Keeps what was measured small until `stop`, whether anybody reads it or not: single values become counts in buckets.
pub async fn keep_up(clock: SharedClock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(UPKEEP) => METRICS.get().iter().for_each(|handle| handle.run_upkeep()),
        }
    }
}

/// All metrics in Prometheus' text format; empty before [`start_metrics`].
pub(crate) fn metrics_text() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}
