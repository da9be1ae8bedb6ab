//! A change of the rules: approved by two people, applied to everybody, hiding no danger and paging nobody by itself.

use axum::http::{Method, StatusCode};
use lasegue_contracts::assessment::{AssessmentCompleted, RedFlag, Status};
use lasegue_contracts::event::Lane;
use lasegue_platform::auth::Role;
use lasegue_protocol::Protocol;
use lasegue_testkit::wait::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{Piece, pieces, registered, saddle};
use crate::ward::Ward;

const CODE: &str = "cauda-equina-emergency";
const AUTHOR: (&str, Role) = ("owner-a", Role::ProtocolOwner);
const APPROVER: (&str, Role) = ("owner-b", Role::ProtocolOwner);
const BACKTEST: &str = r#"{"backtest": "6000 records, 12 with other findings"}"#;

/// The protocol with a residual of 100 mL in the place of 200.
fn stricter() -> String {
    let (mild, strict) = ("[thresholds.residual]\nvalue = 200", "[thresholds.residual]\nvalue = 100");
    let text = Protocol::embedded_text();
    assert!(text.contains(mild), "the protocol's residual is 200 mL");
    text.replacen(mild, strict, 1)
}

fn embedded() -> &'static str {
    &Protocol::embedded().reference().sha256
}

/// A form that denies everything, and 150 mL of residual urine.
fn residual(name: &str, assessed_at: &str) -> Value {
    let mut visit = saddle(name, assessed_at);
    let items = [
        "saddle_sensation",
        "starting_urine",
        "urine_flow_sensation",
        "urinary_retention",
        "urinary_leakage",
        "rectal_fullness_sensation",
        "bowel_control",
        "bilateral_weakness",
        "sexual_dysfunction",
        "new_bilateral_leg_pain",
    ];
    visit["cauda_equina"] = items.into_iter().map(|item| (item.to_owned(), json!("no"))).collect();
    visit["cauda_equina"]["post_void_residual_ml"] = json!(150);
    visit["new_weakness"] = json!("no");
    visit["pain"] = json!({ "leg": { "scale": "nrs", "value": 4 } });
    visit
}

fn with(visit: &Value) -> Value {
    let mut record = registered();
    record["submissions"] = json!([visit]);
    record
}

impl Ward {
    async fn propose(&self, who: (&str, Role), toml: String) -> (StatusCode, Value) {
        self.call(who, Method::POST, "/protocols", toml).await
    }

    async fn activate(&self, who: (&str, Role), sha256: &str, body: &str) -> StatusCode {
        self.call(who, Method::POST, &format!("/protocols/{sha256}/activate"), body.to_owned()).await.0
    }

    /// Activates a protocol that was brought, and waits until it has judged all of `episodes`.
    async fn rule_by(&self, sha256: &str, episodes: &[Uuid]) {
        assert_eq!(self.activate(APPROVER, sha256, BACKTEST).await, StatusCode::NO_CONTENT);
        for episode in episodes {
            eventually("the new rules have judged everybody", || async {
                self.settled().await;
                self.get(*episode, "").await.1["protocol"]["sha256"] == sha256
            })
            .await;
        }
    }

    async fn propose_stricter(&self) -> String {
        let (status, body) = self.propose(AUTHOR, stricter()).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["sha256"].as_str().expect("a hash").to_owned()
    }

    /// The status of the emergency in the latest result.
    async fn status(&self, episode: Uuid) -> Value {
        let result = self.get(episode, "").await.1;
        let findings = result["findings"].as_array().expect("a list");
        findings.iter().find(|finding| finding["code"] == CODE).map_or(Value::Null, |finding| finding["status"].clone())
    }

    /// The status of the emergency in the last red flags that were told; none when they do not hold it.
    async fn told_status(&self, episode: Uuid) -> Option<Status> {
        let last = self.red_flags(episode).await.pop()?;
        last.flags.iter().find(|flag| flag.code == CODE).map(RedFlag::status)
    }

    /// A page of the review list, and where the next begins.
    async fn reviews(&self, query: &str) -> (Value, Value) {
        let path = format!("/reviews{query}");
        let mut page = self.call(("somebody", Role::Clinician), Method::GET, &path, String::new()).await.1;
        (page["entries"].take(), page["next"].take())
    }
}

#[tokio::test]
async fn a_protocol_is_activated_by_another_than_its_author_and_with_a_backtest() {
    let ward = Ward::open().await;
    let (clinician, auditor) = (("dr-a", Role::Clinician), ("auditor", Role::Auditor));
    assert_eq!(ward.propose(clinician, stricter()).await.0, StatusCode::FORBIDDEN);
    let (status, problem) = ward.propose(AUTHOR, stricter().replacen("value = 100", "value = 500", 1)).await;
    assert_eq!((status, problem["faults"].as_array().map(Vec::len)), (StatusCode::UNPROCESSABLE_ENTITY, Some(1)));
    let sha256 = ward.propose_stricter().await;
    assert_eq!(ward.propose(APPROVER, stricter()).await.0, StatusCode::CREATED, "it stays its first author's");
    for (who, sha256, body, status) in [
        (clinician, sha256.as_str(), BACKTEST, StatusCode::FORBIDDEN),
        (AUTHOR, &sha256, BACKTEST, StatusCode::CONFLICT),
        (("Owner-A", Role::ProtocolOwner), &sha256, BACKTEST, StatusCode::CONFLICT),
        ((" owner-a ", Role::ProtocolOwner), &sha256, BACKTEST, StatusCode::CONFLICT),
        (("owner-\u{430}", Role::ProtocolOwner), &sha256, BACKTEST, StatusCode::CONFLICT),
        (("\u{ff4f}wner-a", Role::ProtocolOwner), &sha256, BACKTEST, StatusCode::CONFLICT),
        (APPROVER, &sha256, "{}", StatusCode::UNPROCESSABLE_ENTITY),
        (APPROVER, &sha256, r#"{"backtest": " "}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (APPROVER, "0000", BACKTEST, StatusCode::NOT_FOUND),
        (APPROVER, embedded(), BACKTEST, StatusCode::CONFLICT),
        (APPROVER, &sha256, BACKTEST, StatusCode::NO_CONTENT),
        (APPROVER, &sha256, BACKTEST, StatusCode::CONFLICT),
    ] {
        assert_eq!(ward.activate(who, sha256, body).await, status, "{who:?} {sha256} {body}");
    }
    let (_, list) = ward.call(auditor, Method::GET, "/protocols", String::new()).await;
    let state = |sha256: &str| {
        let all = list["protocols"].as_array().expect("a list");
        let row = all.iter().find(|row| row["sha256"] == sha256).expect("it is kept").clone();
        (row["state"].clone(), row["author"].clone(), row["approved_by"].clone())
    };
    assert_eq!(state(&sha256), (json!("active"), json!("owner-a"), json!("owner-b")));
    assert_eq!(state(embedded()).0, "retired");
    assert_eq!(list["activations"][0]["backtest"], "6000 records, 12 with other findings");
}

#[tokio::test]
async fn what_only_new_rules_find_is_listed_for_review_and_pages_with_the_next_submission() {
    let (ward, episode) = (Ward::open().await, Uuid::from_u128(1));
    ward.tell(episode, Lane::Live, &with(&residual("a", "2026-01-21T09:00:00Z"))).await;
    assert_eq!(ward.status(episode).await, Value::Null);
    let sha256 = ward.propose_stricter().await;
    ward.rule_by(&sha256, &[episode]).await;
    assert_eq!(ward.status(episode).await, "new");
    assert_eq!(ward.told_status(episode).await, None);
    let finding = json!({ "code": CODE, "side": null });
    let revision = ward.get(episode, "").await.1["revision"].clone();
    let entry = json!({ "episode": episode, "revision": revision, "protocol": sha256, "findings": [finding] });
    assert_eq!(ward.reviews("").await.0, json!([entry]));
    let later = residual("b", "2026-01-21T09:10:00Z");
    ward.bring(episode, Lane::Live, Piece::Submission(later)).await;
    ward.settled().await;
    assert_eq!(ward.told_status(episode).await, Some(Status::Open));
    assert_eq!(ward.reviews("").await.0, json!([]));
}

#[tokio::test]
async fn what_new_rules_no_longer_find_stays_until_it_is_signed() {
    let (ward, episode) = (Ward::open().await, Uuid::from_u128(1));
    let sha256 = ward.propose_stricter().await;
    ward.rule_by(&sha256, &[]).await;
    ward.tell(episode, Lane::Live, &with(&residual("a", "2026-01-21T09:00:00Z"))).await;
    assert_eq!(ward.told_status(episode).await, Some(Status::New));
    ward.rule_by(embedded(), &[episode]).await;
    assert_eq!((ward.status(episode).await, ward.reviews("").await.0), (json!("protocol-changed"), json!([])));
    assert_eq!(ward.told_status(episode).await, Some(Status::ProtocolChanged));
    assert_eq!(ward.get(episode, "").await.1["next_visit"]["kind"], "hold");
    ward.bring(episode, Lane::Live, Piece::Submission(residual("b", "2026-01-21T09:10:00Z"))).await;
    ward.settled().await;
    assert_eq!(ward.status(episode).await, "protocol-changed", "a further visit does not sign it");
    ward.dispose(episode, CODE, "2026-01-21T09:20:00Z").await;
    assert_eq!((ward.status(episode).await, ward.told_status(episode).await), (Value::Null, None));
}

#[tokio::test]
async fn everybody_is_judged_again_once_and_in_bulk() {
    let ward = Ward::with_replicas(2).await;
    let episodes: Vec<_> = (1..=120).map(Uuid::from_u128).collect();
    for (number, episode) in episodes.iter().enumerate() {
        let record = with(&residual(&number.to_string(), "2026-01-10T09:00:00Z"));
        for piece in pieces(&record) {
            ward.bring(*episode, Lane::Bulk, piece).await;
        }
    }
    ward.settled().await;
    let sha256 = ward.propose_stricter().await;
    ward.rule_by(&sha256, &episodes).await;
    for episode in &episodes {
        let told = ward.told::<AssessmentCompleted>(*episode).await;
        let by_new: Vec<_> = told
            .iter()
            .filter(|(_, event)| event.protocol.as_ref().is_some_and(|protocol| protocol.sha256 == sha256))
            .collect();
        assert!(by_new.len() == 1 && by_new[0].0.contains(".bulk."), "{episode}: {}", by_new.len());
    }
    let (entries, next) = ward.reviews("?limit=100").await;
    assert_eq!(entries.as_array().map(Vec::len), Some(100));
    let (entries, next) = ward.reviews(&format!("?limit=100&after={}", next.as_str().expect("there are more"))).await;
    assert_eq!((entries.as_array().map(Vec::len), next), (Some(20), Value::Null));
}
