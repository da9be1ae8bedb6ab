use lasegue_protocol::record::{parse_adjudication, parse_registration, parse_submission};

use super::*;

fn empty() -> History {
    History { row: episodes::Model::unknown(Uuid::from_u128(1)), pieces: Vec::new() }
}

fn submission(id: u128, author: &str) -> Change {
    let id = Uuid::from_u128(id);
    let body = json!({ "id": id, "assessed_at": "2026-01-21T09:00:00Z", "author": author });
    let submission = parse_submission(&body).accept().expect("it is sound");
    Change::Submission { id, submission: Box::new(submission) }
}

fn adjudication(id: u128) -> Change {
    let body = json!({ "kind": "disposition", "code": "a-finding", "at": "2026-01-21T09:00:00Z", "by": "dr-a",
        "note": "seen" });
    Change::Adjudication { id: Uuid::from_u128(id), adjudication: parse_adjudication(&body).expect("it is sound") }
}

fn blocks(version: i64, onset: &str) -> Change {
    let body = json!({ "patient": {}, "episode": { "onset_date": onset, "treatment_start": "2026-01-05" } });
    Change::Blocks { version, registration: Box::new(parse_registration(&body).expect("it is sound")) }
}

fn with(history: History, change: &Change) -> History {
    history.with([change], Lane::Live).expect("there is room").expect("it is new").history
}

#[test]
fn a_piece_is_kept_under_the_revision_that_first_has_it_with_the_way_it_came() {
    let mut history = empty();
    history.row.revision = 4;
    let changed = history.with([&submission(7, "patient")], Lane::Bulk).expect("there is room").expect("it is new");
    let [piece] = &changed.pieces[..] else { panic!("a submission is a piece: {changed:?}") };
    assert_eq!((piece.id, piece.kind, piece.revision, piece.imported), (Uuid::from_u128(7), Kind::Submission, 5, true));
    assert!(changed.history.is_imported());
}

#[test]
fn one_submission_that_came_live_makes_a_record_a_live_one() {
    let imported = |history: History, id| {
        history.with([&submission(id, "patient")], Lane::Bulk).expect("there is room").expect("it is new").history
    };
    let live = imported(with(imported(empty(), 1), &submission(2, "patient")), 3);
    assert!(!live.is_imported());
    let signed = with(imported(empty(), 1), &adjudication(2));
    assert!(signed.is_imported(), "a signature is no submission");
}

#[test]
fn what_is_known_is_nothing_new_and_older_blocks_never_replace_newer_ones() {
    let history = with(with(empty(), &submission(7, "patient")), &blocks(2, "2026-01-01"));
    for known in [submission(7, "patient"), blocks(2, "2025-01-01"), blocks(1, "2025-01-01")] {
        assert!(history.clone().with([&known], Lane::Live).expect("no contradiction").is_none(), "{known:?}");
    }
    let record = with(history, &blocks(3, "2026-01-02")).record().expect("it is sound").expect("it is complete");
    assert_eq!(record.episode.onset_date.to_string(), "2026-01-02");
}

#[test]
fn a_record_needs_the_episode_and_a_submission() {
    assert_eq!(empty().record().expect("it is sound"), None);
    assert_eq!(with(empty(), &submission(7, "patient")).record().expect("it is sound"), None);
    assert_eq!(with(with(empty(), &blocks(1, "2026-01-01")), &adjudication(8)).record().expect("it is sound"), None);
}

#[test]
fn other_content_under_a_known_id_is_refused() {
    let refused = with(empty(), &submission(7, "patient")).with([&submission(7, "clinician")], Lane::Live);
    let refusal = refused.expect_err("it contradicts").to_string();
    assert!(refusal.contains("another submission with the id 00000000-0000-0000-0000-000000000007"), "{refusal}");
    assert!(with(empty(), &submission(7, "patient")).with([&adjudication(7)], Lane::Live).is_err());
}

#[test]
fn a_record_takes_as_many_pieces_of_each_kind_as_the_limit_says_and_refuses_the_next_with_a_reason() {
    let (mut submissions, mut adjudications) = (empty(), empty());
    for id in 0..MOST_SUBMISSIONS {
        submissions = with(submissions, &submission(id as u128, "patient"));
    }
    for id in 0..MOST_ADJUDICATIONS {
        adjudications = with(adjudications, &adjudication(id as u128));
    }
    let one_more = submissions.clone().with([&submission(u128::MAX, "patient")], Lane::Live);
    let refusal = one_more.expect_err("it is full").to_string();
    assert!(refusal.contains("4000 submissions") && refusal.contains("open a new episode"), "{refusal}");
    assert!(adjudications.clone().with([&adjudication(u128::MAX)], Lane::Live).is_err());
    with(submissions, &adjudication(u128::MAX));
    with(adjudications, &submission(u128::MAX, "patient"));
}
