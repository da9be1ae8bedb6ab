//! Each effect, each role and each way to it: what a role may not do by itself it may not do in bulk.

use axum::http::{Method, StatusCode};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{House, calm, record, registration, with};

/// How an effect is brought about.
#[derive(Clone, Copy, Debug)]
enum Way {
    Alone,
    Imported,
}

/// What comes about.
#[derive(Clone, Copy, Debug)]
enum Effect {
    Register,
    Report,
    DateReceipt,
    Dispose,
    Void,
    Longstanding,
}

use Effect::{DateReceipt, Dispose, Longstanding, Register, Report, Void};
use Role::{Clinician, Coordinator, Operator, System};
use Way::{Alone, Imported};

/// Whoever may bring about an effect in one way; nobody else may.
const MAY: [(Effect, Way, &[Role]); 12] = [
    (Register, Alone, &[Clinician, Coordinator, System]),
    (Register, Imported, &[System, Operator]),
    (Report, Alone, &[Clinician, System]),
    (Report, Imported, &[System, Operator]),
    (DateReceipt, Alone, &[System]),
    (DateReceipt, Imported, &[System]),
    (Dispose, Alone, &[Clinician, System]),
    (Dispose, Imported, &[System]),
    (Void, Alone, &[Clinician, System]),
    (Void, Imported, &[System]),
    (Longstanding, Alone, &[Clinician, System]),
    (Longstanding, Imported, &[System]),
];

impl Effect {
    /// The event that tells of it: of an imported record, one for all that is in it.
    const fn event(self, way: Way) -> &'static str {
        match (way, self) {
            (Imported, _) => "record-imported",
            (Alone, Register) => "episode-registered",
            (Alone, Report | DateReceipt) => "submission-accepted",
            (Alone, Dispose | Void | Longstanding) => "adjudication-recorded",
        }
    }

    fn signature(self) -> Value {
        let mut signed = json!({ "at": "2026-01-21T08:00:00Z", "by": "dr-a", "note": "Examined." });
        let (kind, name, value) = match self {
            Void => ("void", "submission", "v1"),
            Longstanding => ("longstanding", "item", "saddle_sensation"),
            _ => ("disposition", "code", "cauda-equina-emergency"),
        };
        signed["kind"] = json!(kind);
        signed[name] = json!(value);
        signed
    }

    fn submission(self) -> Value {
        let received = json!("2026-01-20T09:30:00Z");
        if matches!(self, DateReceipt) { with(calm("v1"), "/received_at", received) } else { calm("v1") }
    }

    /// Whether the caller was let, as the answer says.
    async fn tried(self, house: &House, role: Role, way: Way) -> bool {
        match way {
            Alone => self.alone(house, role).await,
            Imported => self.imported(house, role).await,
        }
    }

    async fn alone(self, house: &House, role: Role) -> bool {
        if matches!(self, Register) {
            let body = registration().to_string();
            return house.send(role, Method::POST, "/episodes", &[], body).await.status.is_success();
        }
        let episode = house.episode().await;
        if matches!(self, Dispose | Void | Longstanding) {
            house.submit(episode, "first", &calm("v1")).await.id();
        }
        let (route, body) = match self {
            Report | DateReceipt => ("submissions", self.submission()),
            _ => ("adjudications", self.signature()),
        };
        let path = format!("/episodes/{episode}/{route}");
        let key = [("idempotency-key", "k")];
        house.send(role, Method::POST, &path, &key, body.to_string()).await.status == StatusCode::ACCEPTED
    }

    async fn imported(self, house: &House, role: Role) -> bool {
        let mut whole = record(&[self.submission()]);
        if matches!(self, Dispose | Void | Longstanding) {
            whole["adjudications"] = json!([self.signature()]);
        }
        let answer = house.send(role, Method::POST, "/imports", &[], whole.to_string()).await;
        answer.status == StatusCode::OK && answer.json()["outcome"] == "accepted"
    }
}

#[tokio::test]
async fn no_role_brings_about_in_any_way_what_the_table_does_not_grant_it() {
    for (effect, way, roles) in MAY {
        for role in Role::ALL {
            let house = House::open().await;
            let let_in = effect.tried(&house, role, way).await;
            assert_eq!(let_in, roles.contains(&role), "{effect:?} {way:?} by {role:?}");
            let happened = house.subjects().await.iter().any(|subject| subject.ends_with(effect.event(way)));
            assert_eq!(happened, let_in, "{effect:?} {way:?} by {role:?}");
        }
    }
}

#[tokio::test]
async fn each_field_that_a_role_may_not_import_is_named() {
    let house = House::open().await;
    let mut whole = record(&[calm("v0"), DateReceipt.submission()]);
    whole["adjudications"] = json!([Dispose.signature(), Longstanding.signature()]);
    let answer = house.send(Operator, Method::POST, "/imports", &[], whole.to_string()).await.json();
    let pointers: Vec<_> = answer["faults"].as_array().expect("faults").iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/submissions/1/received_at", "/adjudications/0", "/adjudications/1"]);
    assert_eq!(
        answer["faults"][1]["reason"],
        "is forbidden to operator: leave it out, or import it in the role system"
    );
    assert!(house.outbox().await.is_empty());
    assert_eq!(house.get(&format!("/episodes/{}", Uuid::nil())).await.status, StatusCode::NOT_FOUND);
}
