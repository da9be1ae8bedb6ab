//! `lasegue dead-letters` against a running installation.

use std::process::{Command, Output};

use lasegue_testkit::installation::{Clinic, Fleet, Installation, Role};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

fn dead_letters(place: &impl Installation, role: &str, arguments: &[&str]) -> Output {
    let (url, token) = (place.caller().url, place.token_of(role, "olga"));
    let mut command = Command::new(BINARY);
    command.arg("dead-letters").args(arguments).args(["--url", &url]).env("LASEGUE_TOKEN", token);
    command.output().expect("the binary was built")
}

#[tokio::test]
async fn an_operator_asks_every_service_for_its_dead_letters_and_nobody_else_may() {
    let clinic = Clinic::open(BINARY).await;
    let listed = dead_letters(&clinic, "operator", &["list"]);
    assert!(listed.status.success() && listed.stdout.is_empty(), "{listed:?}");
    let unknown = Command::new(BINARY).args(["dead-letters", "list"]).output().expect("the binary was built");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("a token in the variable LASEGUE_TOKEN"), "{unknown:?}");
    let nobody = "00000000-0000-0000-0000-000000000001";
    let shown = dead_letters(&clinic, "operator", &["show", nobody]);
    assert!(String::from_utf8_lossy(&shown.stderr).contains("no service has a dead letter of this id"), "{shown:?}");
    let dropped = dead_letters(&clinic, "operator", &["drop", nobody, "--reason", "by hand"]);
    assert_eq!(dropped.status.code(), Some(2), "{dropped:?}");
    let refused = dead_letters(&clinic, "clinician", &["list"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("needs one of: operator, system"), "{refused:?}");
}

#[tokio::test]
async fn a_service_that_is_away_keeps_no_other_one_from_being_asked() {
    let mut fleet = Fleet::open(BINARY, 1).await;
    let letter = "00000000-0000-0000-0000-000000000007";
    let row =
        format!("'{letter}', 'alerting-visits', 'a.subject', '{{}}', '', 'a reason', now(), 'set-aside', 0, NULL");
    fleet.ground.postgres.query(&format!("INSERT INTO alerting.dead_letters (id, consumer, subject, headers, payload, reason, created_at, state, tries, settled_at) VALUES ({row})")).await;
    for role in [Role::Intake, Role::Assessment] {
        fleet.kill(fleet.of(role)[0]);
    }
    let told = |arguments: &[&str]| {
        let Output { status, stdout, stderr } = dead_letters(&fleet, "operator", arguments);
        assert_eq!(status.code(), Some(2), "{arguments:?}");
        [stdout, stderr].map(|text| String::from_utf8(text).expect("it prints text"))
    };
    let [listed, away] = told(&["list"]);
    assert!(listed.starts_with(letter) && listed.lines().count() == 1, "{listed}");
    let names: Vec<_> = away.lines().filter_map(|line| line.split_once(" could not be asked: refused (503")).collect();
    assert_eq!(names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["intake", "assessment"], "{away}");
    let [_, nowhere] = told(&["drop", "00000000-0000-0000-0000-000000000008", "--reason", "by hand"]);
    assert!(nowhere.contains("no service that answers has") && nowhere.contains("intake could not"), "{nowhere}");
    let dropped = dead_letters(&fleet, "operator", &["drop", letter, "--reason", "by hand"]);
    assert!(dropped.status.success(), "{dropped:?}");
}
