//! What a process tells of itself: complete from the start, as documented, and never growing by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::routing::any;
use lasegue_platform::auth::{SigningKey, Verifier};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::http::{Front, Health, Limits, Routes};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::telemetry::{self, Kind, SERIES, Series, Words};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::pause;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// All measurements of this process, as monitoring reads them.
pub(crate) async fn shown() -> String {
    call(&house(), "GET", "/metrics").await
}

fn house() -> axum::Router {
    house_with(&Health::default())
}

fn house_with(health: &Health) -> axum::Router {
    telemetry::start_metrics().expect("the buckets are buckets");
    let front = Front {
        verifier: Verifier::new(&SigningKey::generate(&*SystemRandom::shared())),
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        limits: Limits::default(),
    };
    front.around(Routes::new().public("/here/{id}", any(async || "x")), health)
}

async fn call(house: &axum::Router, method: &str, path: &str) -> String {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
    let answer = house.clone().oneshot(request).await.expect("the router never fails");
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8(body.to_vec()).expect("text")
}

#[tokio::test]
async fn every_counter_exists_at_0_from_the_start_with_help() {
    let shown = call(&house(), "GET", "/metrics").await;
    for series in SERIES.iter().filter(|series| series.labels.iter().all(|(_, words)| *words != Words::Seen)) {
        if series.kind == Kind::Gauge {
            continue;
        }
        assert!(shown.contains(&format!("# HELP {} {}", series.name, series.help)), "{}: {shown}", series.name);
        assert!(shown.lines().any(|line| line.starts_with(series.name) && line.ends_with(" 0")), "{}", series.name);
    }
    for line in [
        "bus_dead_letters_total{consumer=\"alerting-red-flags\"} 0",
        "page_attempts_total{channel=\"webhook\",outcome=\"refused\"} 0",
        "alert_steps_overlooked_total 0",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
    }
}

#[tokio::test]
async fn every_series_is_of_the_kind_that_the_table_says() {
    let house = house();
    metrics::histogram!("store_units_per_commit").record(2.0);
    call(&house, "GET", "/here/1").await;
    let shown = call(&house, "GET", "/metrics").await;
    for series in SERIES.iter().filter(|series| series.kind != Kind::Gauge) {
        let line = format!("# TYPE {} {}", series.name, series.kind.word());
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
    }
}

#[tokio::test]
async fn whoever_asks_whether_it_is_ready_and_hears_no_has_seen_no_failure() {
    let health = Health::default();
    health.check("the moon", async || Err("it is new".to_owned()));
    let house = house_with(&health);
    assert!(call(&house, "GET", "/readyz").await.contains("it is new"));
    let shown = call(&house, "GET", "/metrics").await;
    let counted = |line: &str| line.starts_with("http_requests_total{") && line.contains("/readyz\"");
    assert!(shown.lines().any(|line| counted(line) && line.contains("503") && line.ends_with(" 1")), "{shown}");
    assert!(shown.lines().any(|line| line == "http_failures_total 0"), "{shown}");
}

#[tokio::test]
async fn nobody_can_invent_a_series() {
    let house = house();
    for method in ["GET", "BREW", "X1", "X2"] {
        for path in ["/here/1", "/here/2", "/nowhere/3", "/nowhere/4"] {
            call(&house, method, path).await;
        }
    }
    let shown = call(&house, "GET", "/metrics").await;
    let counted = shown.lines().filter(|line| line.starts_with("http_requests_total{")).collect::<Vec<_>>();
    assert_eq!(counted.len(), 4, "{counted:#?}");
    assert!(counted.iter().any(|line| line.contains("method=\"other\",path=\"unmatched\"")), "{counted:#?}");
}

#[tokio::test]
async fn refused_sign_ins_are_counted() {
    let house = house();
    let shown = call(&house, "GET", "/metrics").await;
    assert!(shown.lines().any(|line| line == "sign_ins_refused_total{reason=\"forged\"} 0"), "{shown}");
    for value in ["Bearer a.b.c", "Bearer ", "Basic eDp5"] {
        let request = Request::get("/here/1").header("authorization", value).body(Body::empty());
        house.clone().oneshot(request.expect("a request")).await.expect("the router never fails");
    }
    call(&house, "GET", "/here/1").await;
    let shown = call(&house, "GET", "/metrics").await;
    for line in ["sign_ins_refused_total{reason=\"forged\"} 2", "sign_ins_refused_total{reason=\"malformed\"} 1"] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
    }
}

/// Kilobytes of memory that the process has.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("it says so");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test]
async fn what_nobody_reads_does_not_grow() {
    const VALUES: u32 = 50_000;
    telemetry::start_metrics().expect("the buckets are buckets");
    let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(telemetry::keep_up(Arc::new(clock.clone()), stop.clone()));
    let mut before = 0;
    for round in 0..40 {
        for value in 0..VALUES {
            metrics::histogram!("store_units_per_commit").record(value);
        }
        clock.advance(Duration::from_secs(5));
        pause(Duration::from_millis(5)).await;
        if round == 5 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    // Kept one by one, the values of the rounds since would be 13 MB.
    assert!(grown < 6_000, "{grown} kB");
    stop.cancel();
    keeping.await.expect("it ends when it is told to");
}

pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("telemetry/series.rs")
        {
            found.push(path);
        }
    }
}

/// Kind and name of every measurement in a source.
fn measured(source: &str) -> Vec<(&'static str, String)> {
    [Kind::Counter, Kind::Gauge, Kind::Histogram]
        .into_iter()
        .flat_map(|kind| {
            let call = format!("metrics::{}!(", kind.word());
            let calls = source.split(&call).skip(1).map(str::trim_start);
            calls
                .map(move |call| (kind.word(), call.split('"').nth(1).unwrap_or_default().to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_measurement_in_the_sources_is_in_the_table_and_nothing_else() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in fs::read_dir(crates).expect("the crates are there") {
        sources(&folder.expect("an entry").path().join("src"), &mut files);
    }
    let found: BTreeSet<_> =
        files.iter().flat_map(|file| measured(&fs::read_to_string(file).expect("a source"))).collect();
    let table: BTreeSet<_> = SERIES.iter().map(|series| (series.kind.word(), series.name.to_owned())).collect();
    assert_eq!(found, table);
}

fn row(series: &Series) -> String {
    let labels = series.labels.iter().map(|(name, words)| match words {
        Words::These(words) => format!("`{name}`: {}", words.join(", ")),
        Words::Consumers => format!("`{name}`: each durable"),
        Words::Seen => format!("`{name}`: *seen*"),
    });
    let labels = labels.collect::<Vec<_>>().join("; ");
    format!("| `{}` | {} | {} | {labels} | {} |", series.name, series.kind.word(), series.lives, series.help)
}

#[test]
fn the_documentation_lists_every_series() {
    let page = include_str!("../../../../docs/operations.md");
    let section = page.split("## Metrics").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section");
    let told: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let table: Vec<_> = SERIES.iter().map(row).collect();
    assert_eq!(told, table, "the table must be:\n{}", table.join("\n"));
}
