//! A process is ready only while its databases can be written.

use std::fs;
use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::http::Health;
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::Migrations;
use lasegue_platform::{Base, Databases, Opened};

use crate::faults::run;
use crate::support::eventually;

#[tokio::test]
async fn a_process_whose_database_cannot_be_written_is_not_ready_until_it_can() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let clock = SystemClock::shared();
    let base = Base {
        bus: Arc::new(EmbeddedBus::new(clock.clone())),
        clock: clock.clone(),
        random: SystemRandom::shared(),
        lifecycle: Lifecycle::new(clock),
        databases: Databases::Folder(folder.path().to_owned()),
        health: Health::default(),
        migrate: true,
        keys: std::sync::Arc::default(),
        restorable_for: lasegue_platform::store::RESTORABLE_FOR,
        opened: Opened::default(),
    };
    let store = base.open_store(Service::Intake, Migrations::NONE).await.expect("an empty folder takes it");
    assert!(base.health.report().await.0);
    let (here, away) = (folder.path().join("intake.sqlite"), folder.path().join("away"));
    fs::rename(&here, &away).expect("it can be moved");
    run(&store, "PRAGMA query_only = on; DELETE FROM probe").await.expect_err("it takes no writes");
    eventually("it is not ready", || async { !base.health.report().await.0 }).await;
    let told = base.health.report().await.1["intake database"].to_string();
    assert!(told.starts_with("\"nothing can be stored now: "), "{told}");
    assert!(!here.exists(), "an empty database is no substitute for the one that is gone");
    fs::rename(&away, &here).expect("it can be moved back");
    eventually("it is ready again", || async { base.health.report().await.0 }).await;
}
