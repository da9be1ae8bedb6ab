//! What a process tells of its own running: logs, metrics, and the trace that a request carries through every event.

mod trace;

use std::io;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

pub use self::trace::TraceContext;

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

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins logging to standard error: text for people, or JSON lines for machines. Once for a process.
///
/// # Errors
/// When the filter is not understood or logging has begun already.
pub fn start_logging(filter: &str, json: bool) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(filter)?).with_writer(io::stderr);
    if json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.compact().with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish().try_init()?;
    }
    Ok(())
}

/// Begins counting. Calling it again does nothing.
///
/// # Errors
/// When the metrics cannot be set up.
pub fn start_metrics() -> Result<(), TelemetryError> {
    if METRICS.get().is_none() {
        let seconds = Matcher::Suffix("seconds".to_owned());
        let recorder = PrometheusBuilder::new().set_buckets_for_metric(seconds, SECONDS)?.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_ok() {
            // Two threads cannot both have installed the recorder.
            let _ = METRICS.set(handle);
        }
    }
    Ok(())
}

/// All metrics in Prometheus' text format; empty before [`start_metrics`].
pub(crate) fn metrics_text() -> String {
    METRICS
        .get()
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default()
}
