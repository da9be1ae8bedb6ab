//! Records for tests, all of synthetic patients, and how they arrive piece by piece.

use std::fs;
use std::path::Path;

use lasegue_contracts::alerting::FindingDisposed;
use lasegue_contracts::event::Lane;
use lasegue_contracts::intake::{EpisodeRegistered, EpisodeUpdated, RecordImported, SubmissionAccepted};
use lasegue_protocol::record::Record;
use lasegue_protocol::{Assessment, Protocol, evaluate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ward::Ward;
use crate::wire;

/// The worked cases of the clinical core, by file name.
pub(crate) fn cases() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/cases");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("it is readable").path();
        let text = fs::read_to_string(&path).expect("it is readable");
        let case: Value = serde_json::from_str(&text).expect("a case is JSON");
        (path.display().to_string(), ours(case["record"].clone()))
    };
    fs::read_dir(folder).expect("the cases are part of the workspace").map(read).collect()
}

/// The record of one worked case.
pub(crate) fn case(name: &str) -> Value {
    let file = format!("{name}.json");
    cases().into_iter().find(|(path, _)| path.ends_with(&file)).expect("there is such a case").1
}

/// A record with our own ids in the place of the sender's, who is not known beyond intake.
fn ours(mut record: Value) -> Value {
    for block in ["patient", "episode"] {
        record[block].as_object_mut().expect("a block").remove("id");
    }
    for submission in record["submissions"].as_array_mut().expect("a list") {
        rename(&mut submission["id"]);
        if !submission["supersedes"].is_null() {
            rename(&mut submission["supersedes"]);
        }
    }
    for adjudication in record["adjudications"].as_array_mut().into_iter().flatten() {
        if adjudication["kind"] == "void" {
            rename(&mut adjudication["submission"]);
        }
    }
    record
}

fn rename(id: &mut Value) {
    *id = json!(submission_id(id.as_str().expect("an id")));
}

/// Our id for a submission that its sender calls `name`.
pub(crate) fn submission_id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// A record without any submission yet.
pub(crate) fn registered() -> Value {
    json!({
        "format": "lasegue.record/1",
        "patient": { "birth_date": "1980-05-01", "sex": "female" },
        "episode": { "onset_date": "2026-01-01", "treatment_start": "2026-01-05", "time_zone": "Europe/London" },
        "submissions": [],
    })
}

/// A patient's form that reports numbness in the saddle.
pub(crate) fn saddle(name: &str, assessed_at: &str) -> Value {
    json!({
        "id": submission_id(name), "assessed_at": assessed_at, "received_at": assessed_at, "author": "patient",
        "cauda_equina": { "saddle_sensation": "yes" },
    })
}

pub(crate) fn typed(record: &Value) -> Record {
    Record::parse(record).unwrap_or_else(|faults| panic!("the record is unsound: {faults:?}"))
}

/// What the clinical core says of a record.
pub(crate) fn expected(record: &Value) -> Assessment {
    evaluate(Protocol::embedded(), &typed(record), None).expect("a visit counts")
}

/// One thing that arrives.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Blocks { version: u64, record: Value },
    Submission(Value),
    Adjudication(Value),
}

/// Everything of a record, in the order of the document, the blocks first.
pub(crate) fn pieces(record: &Value) -> Vec<Piece> {
    let list = |name: &str| record[name].as_array().cloned().unwrap_or_default();
    let mut pieces = vec![Piece::Blocks { version: 1, record: record.clone() }];
    pieces.extend(list("submissions").into_iter().map(Piece::Submission));
    pieces.extend(list("adjudications").into_iter().map(Piece::Adjudication));
    pieces
}

impl Ward {
    /// Sends everything of a record in its order, each piece once the one before was dealt with.
    pub(crate) async fn tell(&self, episode: Uuid, lane: Lane, record: &Value) {
        for piece in pieces(record) {
            self.bring(episode, lane, piece).await;
            self.settled().await;
        }
    }

    /// Sends everything of a record as an import does: in one event.
    pub(crate) async fn import(&self, episode: Uuid, record: &Value) {
        let (episode_id, list) =
            (episode.to_string(), |name: &str| record[name].as_array().cloned().unwrap_or_default());
        let adjudication =
            |body: &Value| wire::adjudication(episode_id.clone(), submission_id(&body.to_string()).to_string(), body);
        let event = RecordImported {
            version: 1,
            patient: Some(wire::patient(&record["patient"])),
            episode: Some(wire::episode(&record["episode"])),
            adjudications: list("adjudications").iter().map(adjudication).collect(),
            submissions: list("submissions").iter().map(wire::submission).collect(),
            episode_id: episode_id.clone(),
        };
        self.send(Lane::Bulk, event).await;
        self.settled().await;
    }

    /// Sends one piece.
    pub(crate) async fn bring(&self, episode: Uuid, lane: Lane, piece: Piece) {
        let episode_id = episode.to_string();
        match piece {
            Piece::Blocks { version, record } => {
                let (patient, episode) = (wire::patient(&record["patient"]), wire::episode(&record["episode"]));
                let (patient, episode) = (Some(patient), Some(episode));
                if version == 1 {
                    self.send(lane, EpisodeRegistered { episode_id, version, patient, episode }).await;
                } else {
                    self.send(lane, EpisodeUpdated { episode_id, version, patient, episode }).await;
                }
            }
            Piece::Submission(body) => {
                let submission = Some(wire::submission(&body));
                self.send(lane, SubmissionAccepted { episode_id, submission }).await;
            }
            Piece::Adjudication(body) => {
                let id = submission_id(&body.to_string()).to_string();
                self.send(lane, wire::adjudication(episode_id, id, &body)).await;
            }
        }
    }

    /// Signs a finding on its alert, as an alerting that names no revision does.
    pub(crate) async fn dispose(&self, episode: Uuid, code: &str, at: &str) {
        self.send(Lane::Live, disposed(episode, code, at)).await;
        self.settled().await;
    }
}

/// What alerting tells of a signature.
pub(crate) fn disposed(episode: Uuid, code: &str, at: &str) -> FindingDisposed {
    FindingDisposed {
        episode_id: episode.to_string(),
        alert_id: Uuid::nil().to_string(),
        code: code.to_owned(),
        side: String::new(),
        at: wire::instant(&json!(at)),
        by: "dr-a".to_owned(),
        note: "seen and treated".to_owned(),
        seen_revision: None,
    }
}
