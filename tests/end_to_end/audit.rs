//! The audit of a running installation, read and verified by the command, and covered up in the database's own file.

use std::path::Path;
use std::process::{Command, Output};

use lasegue_contracts::Service;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Store, StoreError};
use lasegue_testkit::installation::{Clinic, Fleet, Installation, Role};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

fn audit(what: &str, data: &Path, more: &[&str]) -> Output {
    let mut lasegue = Command::new(BINARY);
    lasegue.args(["audit", what, "--data"]).arg(data).args(more);
    lasegue.output().expect("the binary was built")
}

/// The rows of all services.
pub(crate) fn list(data: &Path, more: &[&str]) -> Vec<Value> {
    let listed = audit("list", data, more);
    assert!(listed.status.success(), "{listed:?}");
    let lines = String::from_utf8(listed.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The exit status of `verify`, and what it says of intake.
fn verify(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let verified = audit("verify", data, more);
    let told = String::from_utf8(verified.stdout).expect("text");
    let of_intake = told.lines().find(|line| line.starts_with("intake: "));
    (verified.status.code(), of_intake.unwrap_or_else(|| panic!("{told} {:?}", verified.stderr)).to_owned())
}

async fn sealed(data: &Path) -> String {
    eventually("everything is sealed", || async { verify(data, &[]).1.contains(" 0 not sealed") }).await;
    let (code, told) = verify(data, &[]);
    assert_eq!(code, Some(0), "{told}");
    told.rsplit(' ').next().expect("the head").to_owned()
}

/// What somebody does who can write the file.
async fn cover_up(data: &Path, statements: &'static [&'static str]) {
    let location = Location::Sqlite(data.join("intake.sqlite"));
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let store = Store::open(Service::Intake, &location, lasegue_intake::MIGRATIONS, false, clock, random).await;
    let store = store.expect("nobody has it open");
    let written: Result<(), StoreError> = store
        .commit(move |unit| {
            Box::pin(async move {
                for statement in statements {
                    unit.db().execute_unprepared(statement).await?;
                }
                Ok(())
            })
        })
        .await;
    written.expect("the statements run");
    store.close().await;
}

#[tokio::test]
async fn who_overwrote_a_birth_date_and_what_it_was_is_told_by_the_command() {
    let clinic = crate::clinic().await;
    let caller = clinic.caller();
    let episode = caller.register().await.expect("it answers");
    let token = clinic.token_of("coordinator", "mallory");
    let patch = caller.http.patch(format!("{}/api/v1/episodes/{episode}", caller.url)).bearer_auth(token);
    let answer = patch.json(&json!({ "patient": { "birth_date": "1971-03-04" } })).send().await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::OK);
    let rows = list(&clinic.data(), &["--subject", "mallory", "--object", &episode]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let [row] = &rows[..] else { unreachable!("it is one") };
    assert_eq!((&row["peer"], &row["status"], &row["role"]), (&json!("127.0.0.1"), &json!(200), &json!("coordinator")));
    assert_eq!(row["change"]["/patient/birth_date"]["new"], "1971-03-04");
    assert!(row["change"]["/patient/birth_date"]["old"].is_string());
    assert!(list(&clinic.data(), &["--since", "2200-01-01T00:00:00Z"]).is_empty());
    let cut = audit("list", &clinic.data(), &["--limit", "1"]);
    let [out, told] = [cut.stdout, cut.stderr].map(|text| String::from_utf8(text).expect("text"));
    assert_eq!((cut.status.code(), out.lines().count()), (Some(2), 1), "only intake was called");
    assert!(told.starts_with("intake has older rows than these 1"), "{told}");
    assert!(out.contains("mallory"), "the latest is shown: {out}");
}

/// A clinic with five calls at intake that was killed, and the head after them.
async fn killed() -> (Clinic, String) {
    let mut clinic = crate::clinic().await;
    for _ in 0..5 {
        clinic.caller().register().await.expect("it answers");
    }
    let head = sealed(&clinic.data()).await;
    clinic.kill();
    (clinic, head)
}

#[tokio::test]
async fn every_way_of_covering_up_is_found_by_the_command() {
    let (clinic, head) = killed().await;
    let (data, head) = (clinic.data(), format!("intake:{head}"));
    assert_eq!(verify(&data, &["--head", &head]).0, Some(0));
    for (statements, found) in [
        (&["UPDATE access SET subject = 'dr-x' WHERE number = 2"][..], "row 2 was changed"),
        (&["DELETE FROM access WHERE number = 2"][..], "row 2 is missing"),
    ] {
        let copy = tempfile::tempdir().expect("a folder");
        for service in Service::ALL {
            let file = format!("{service}.sqlite");
            std::fs::copy(data.join(&file), copy.path().join(&file)).expect("it can be copied");
            let log = format!("{file}-wal");
            if data.join(&log).exists() {
                std::fs::copy(data.join(&log), copy.path().join(&log)).expect("it can be copied");
            }
        }
        cover_up(copy.path(), statements).await;
        let (code, told) = verify(copy.path(), &[]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(found), "{told}");
    }
    let reordered = &[
        "UPDATE access SET number = -1 WHERE number = 1",
        "UPDATE access SET number = 1 WHERE number = 2",
        "UPDATE access SET number = 2 WHERE number = -1",
    ];
    cover_up(&data, reordered).await;
    assert!(verify(&data, &[]).1.contains("row 1 was changed"));
    cover_up(&data, reordered).await;
    assert_eq!(verify(&data, &[]).0, Some(0), "it is as it was");
    // With one process nothing is signed: only a head that was told before shows that the end is gone.
    cover_up(
        &data,
        &[
            "DELETE FROM access WHERE number > 3",
            "UPDATE access_head SET number = 3, hash = (SELECT hash FROM access WHERE number = 3)",
        ],
    )
    .await;
    assert_eq!(verify(&data, &[]).0, Some(0));
    let (code, told) = verify(&data, &["--head", &head]);
    assert_eq!(code, Some(1));
    assert!(told.contains("it ends at 3, before the given head 5"), "{told}");
}

#[tokio::test]
async fn what_a_kill_left_unsealed_is_sealed_at_the_next_start() {
    let (mut clinic, head) = killed().await;
    let data = clinic.data();
    cover_up(
        &data,
        &["INSERT INTO access (at, peer, request, method, route, object, times) \
           VALUES ('2026-01-21 09:00:00+00:00', '', '', 'GET', '/', '', 1)"],
    )
    .await;
    assert!(verify(&data, &[]).1.contains(" 1 not sealed"));
    clinic.start_again().await;
    let later = sealed(&data).await;
    assert_ne!(later, head);
    assert_eq!(verify(&data, &["--head", &format!("intake:{head}")]).0, Some(0));
}

/// With processes of their own: the front door tells from where a call came, and what the service did not sign is found.
#[tokio::test]
async fn behind_the_front_door_the_caller_is_known_and_the_heads_are_signed() {
    let fleet = Fleet::open(BINARY, 1).await;
    let [door] = fleet.of(Role::Web)[..] else { panic!("there is one") };
    let url = format!("http://{}", fleet.address(door));
    let answer =
        fleet.caller().http.get(format!("{url}/api/v1/worklist")).bearer_auth(fleet.token_of("auditor", "olga"));
    let answer = answer.header("lasegue-peer", "203.0.113.9").send().await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::OK);
    let postgres = &fleet.ground.postgres;
    let peers = "SELECT peer FROM scheduling.access WHERE subject = 'olga'";
    assert_eq!(postgres.query(peers).await.trim(), "127.0.0.1 by 127.0.0.1");
    let verified = || fleet.ground.run("migrate", &["audit", "verify"]);
    eventually("the heads are signed", || async {
        postgres.query("SELECT signature IS NOT NULL FROM scheduling.access_head").await.trim() == "t"
    })
    .await;
    let whole = verified();
    assert!(whole.status.success(), "{whole:?}");
    postgres.query("UPDATE scheduling.access_head SET signature = NULL").await;
    let broken = verified();
    let told = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert_eq!(broken.status.code(), Some(1), "{told}");
    assert!(told.contains("scheduling: BROKEN, the head at"), "{told}");
}
