//! Which crate may depend on which: the table of ARCHITECTURE.md, enforced.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with the workspace crates it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("lasegue-values", &[]),
    ("lasegue-protocol", &["lasegue-values"]),
    ("lasegue-contracts", &[]),
    ("lasegue-platform", &["lasegue-contracts", "lasegue-values"]),
    ("lasegue-intake", &["lasegue-contracts", "lasegue-platform", "lasegue-protocol", "lasegue-values"]),
    ("lasegue-assessment", &["lasegue-contracts", "lasegue-platform", "lasegue-protocol", "lasegue-values"]),
    ("lasegue-scheduling", &["lasegue-contracts", "lasegue-platform"]),
    ("lasegue-alerting", &["lasegue-contracts", "lasegue-platform", "lasegue-values"]),
    ("lasegue-console", &["lasegue-contracts", "lasegue-platform"]),
    ("lasegue-testkit", &["lasegue-contracts", "lasegue-platform"]),
    (
        "lasegue",
        &[
            "lasegue-alerting",
            "lasegue-assessment",
            "lasegue-console",
            "lasegue-contracts",
            "lasegue-intake",
            "lasegue-platform",
            "lasegue-protocol",
            "lasegue-scheduling",
            "lasegue-values",
        ],
    ),
    ("xtask", &[]),
];

/// What the clinical core must stay free of: transport, databases, tasks, the clock.
const NOT_IN_PROTOCOL: [&str; 5] = ["axum", "prost", "sea-orm", "tokio", "tracing"];

/// The normal dependencies of each workspace package, tests and build scripts left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    packages.iter().map(|package| (text(&package["name"]), normal(package))).collect()
}

fn normal(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("a list");
    all.iter().filter(|dependency| dependency["kind"].is_null()).map(|dependency| text(&dependency["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn every_crate_depends_only_on_what_stands_below_it() {
    let found = dependencies();
    let ours: BTreeSet<_> = found.keys().cloned().collect();
    for (name, depends_on) in &found {
        let allowed = ALLOWED.iter().find(|(known, _)| known == name);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name} is new: give it its place in this table"));
        for other in depends_on.intersection(&ours) {
            assert!(allowed.contains(&other.as_str()), "{name} may not depend on {other}");
        }
    }
    assert_eq!(found.len(), ALLOWED.len(), "the table names a crate that is gone");
}

#[test]
fn the_clinical_core_knows_no_transport_no_database_and_no_task() {
    let found = dependencies();
    for name in NOT_IN_PROTOCOL {
        assert!(!found["lasegue-protocol"].contains(name), "lasegue-protocol depends on {name}");
    }
}
