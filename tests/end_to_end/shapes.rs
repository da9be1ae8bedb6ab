//! The main job in every shape of an installation: one process, alone or in a container that grants it nothing, a process
//! for each role, the Compose file.

use std::path::{Path, PathBuf};

use lasegue_testkit::installation::{Composed, Contained, Fleet, Installation};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;

use crate::{confined, main_job};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

async fn a_backup_comes_back(contained: &Contained) {
    const BACKUP: &str = "/volume/backup";
    let caller = contained.caller();
    let before = caller.register().await.expect("it answers");
    contained.beside(&["backup", BACKUP]);
    let after = caller.register().await.expect("it answers");
    contained.stop();
    contained.alone(&["doctor"]);
    contained.alone(&["restore", BACKUP, "--replace"]);
    contained.up().await;
    let there = |episode: String| {
        let caller = caller.clone();
        async move {
            let answer = caller.get(&format!("/episodes/{episode}")).send().await;
            answer.expect("it answers").status() == StatusCode::OK
        }
    };
    eventually("what was backed up is back", || there(before.clone())).await;
    assert!(!there(after).await, "what came after the backup is not");
    main_job::a_red_flag_pages_once_signed_and_without_a_word_about_the_patient(contained).await;
}

macro_rules! main_job {
    ($($check:ident)*) => {
        mod one_process {
            use super::*;

            $(#[tokio::test]
            async fn $check() {
                main_job::$check(&crate::clinic().await).await;
            })*
        }

        /// One after the other, since it takes longer to start than to answer.
        #[tokio::test]
        async fn the_same_holds_with_a_process_for_each_role() {
            let fleet = Fleet::open(BINARY, 1).await;
            $(
                eprintln!("{}", stringify!($check));
                main_job::$check(&fleet).await;
            )*
        }

        #[tokio::test]
        async fn the_same_holds_in_the_compose_file() {
            let composed = Composed::start(Path::new(BINARY), &deploy()).await;
            $(
                eprintln!("{}", stringify!($check));
                main_job::$check(&composed).await;
            )*
            confined::every_container_has_what_it_needs_and_no_more(&composed);
        }

        /// With backup and restore, which must get by with as little.
        #[tokio::test]
        async fn the_same_holds_in_a_container_that_may_write_to_its_data_alone() {
            let contained = Contained::start(Path::new(BINARY), &deploy()).await;
            $(
                eprintln!("{}", stringify!($check));
                main_job::$check(&contained).await;
            )*
            a_backup_comes_back(&contained).await;
        }
    };
}

main_job! {
    a_red_flag_pages_once_signed_and_without_a_word_about_the_patient
    a_calm_visit_pages_nobody_and_is_assessed
    three_faults_are_answered_all_at_once
    a_refused_submission_does_not_hide_its_red_flag
    a_body_that_is_no_json_pages_too
    without_a_token_or_with_the_wrong_role_nothing_is_done
    an_accepted_and_disposed_alert_releases_the_hold
    a_revoked_token_is_refused_by_every_service
}
