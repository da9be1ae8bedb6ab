//! Alerts over the real router: who may do what, and what it changes.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use chrono::TimeDelta;
use futures_util::future::join_all;
use lasegue_alerting::http;
use lasegue_contracts::NOTE_STAYS;
use lasegue_contracts::Service;
use lasegue_contracts::alerting::{AlertAccepted, FindingDisposed};
use lasegue_contracts::assessment::{Limit, Severity};
use lasegue_contracts::intake::{RefusalReason, SubmissionRefused};
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::clock::Clock;
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::random::SystemRandom;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

use crate::harness::{Clinic, EPISODE, emergency, flag, flags};

/// Somebody who calls the API of a clinic.
pub(crate) struct Caller {
    router: axum::Router,
    token: String,
}

impl Clinic {
    pub(crate) fn caller(&self, subject: &str, role: Role) -> Caller {
        let key = SigningKey::generate(&*SystemRandom::shared());
        let identity = Identity { subject: subject.to_owned(), role };
        let now = self.clock.now();
        let token = issue(&key, &identity, uuid::Uuid::nil(), now, now + TimeDelta::days(1)).expect("a key signs");
        let (clock, random) = (self.alerting.store().clock().clone(), SystemRandom::shared());
        let front = Front { verifier: Verifier::new(&key), clock, random, limits: Limits::default() };
        Caller { router: front.around(http::routes(&self.alerting), &Health::default()), token }
    }

    /// All measurements, as monitoring reads them.
    pub(crate) async fn metrics(&self) -> String {
        let caller = self.caller("monitoring", Role::System);
        let request = Request::get("/metrics").body(Body::empty()).expect("a request");
        let answer = caller.router.oneshot(request).await.expect("a router always answers");
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    /// The id of the only alert.
    pub(crate) async fn alert(&self) -> String {
        let list = self.caller("reader", Role::Auditor).get("/alerts").await.1;
        list["alerts"][0]["id"].as_str().expect("an id").to_owned()
    }
}

impl Caller {
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Body::from(body.to_string())).await
    }

    async fn call(&self, method: Method, path: &str, body: Body) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-request-id", "test")
            .body(body)
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }
}

#[tokio::test]
async fn an_alert_is_shown_with_what_the_clinician_needs_to_act() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (status, list) = clinic.caller("reader", Role::Coordinator).get("/alerts?state=open").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!("list", list);
    clinic.close().await;
}

#[tokio::test]
async fn an_accepted_alert_pages_nobody_and_tells_who_has_it() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("a", Role::Clinician));
    let (status, alert) = doctor.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
    assert_eq!((status, &alert["accepted"]["by"]), (StatusCode::OK, &json!("a")));
    clinic.pass(Duration::from_mins(29)).await;
    let (status, problem) =
        clinic.caller("b", Role::Clinician).post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("alert-accepted-by-another")));
    clinic.pass(Duration::from_mins(1)).await;
    assert_eq!(clinic.pages("a", 1).await[0].text("reason"), "acceptance-lapsed");
    clinic.close().await;
}

#[tokio::test]
async fn what_a_clinician_signs_goes_back_to_assessment() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("dr-a", Role::Clinician));
    let note = json!({ "revision": 1, "note": "Scan normal." });
    let (status, alert) = doctor.post(&format!("/alerts/{id}/dispose"), &note).await;
    assert_eq!((status, &alert["state"]), (StatusCode::OK, &json!("closed")));
    let disposed = clinic.published::<FindingDisposed>().await;
    assert_eq!(disposed.len(), 1);
    let signed = &disposed[0];
    assert_eq!(
        (signed.code.as_str(), signed.by.as_str(), signed.note.as_str()),
        ("cauda-equina-emergency", "dr-a", NOTE_STAYS)
    );
    let (_, one) = doctor.get(&format!("/alerts/{id}")).await;
    insta::assert_json_snapshot!("disposed", one);
    clinic.pass(Duration::from_hours(24)).await;
    clinic.close().await;
}

#[tokio::test]
async fn whoever_saw_an_older_revision_is_shown_the_news() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.tell(emergency(2)).await;
    clinic.pages("a", 2).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("a", Role::Clinician));
    let (status, problem) = doctor.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(
        (&problem["code"], &problem["revision"], &problem["news"][0]["id"]),
        (&json!("news"), &json!(2), &json!(id))
    );
    let (status, _) = doctor.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 2 })).await;
    assert_eq!(status, StatusCode::OK);
    clinic.close().await;
}

#[tokio::test]
async fn declining_and_handing_over_page_the_next_at_once() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("a", Role::Clinician));
    doctor.post(&format!("/alerts/{id}/decline"), &json!({ "revision": 1 })).await;
    clinic.pages("lead", 1).await;
    let (status, _) = doctor.post(&format!("/alerts/{id}/hand-over"), &json!({ "revision": 1, "to": "c" })).await;
    assert_eq!(status, StatusCode::OK);
    clinic.pages("c", 1).await;
    clinic.close().await;
}

#[tokio::test]
async fn another_takes_over_an_accepted_alert_and_its_holder_is_paged() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, seen) = (clinic.alert().await, json!({ "revision": 1 }));
    let (holder, other) = (clinic.caller("a", Role::Clinician), clinic.caller("lead", Role::Clinician));
    holder.post(&format!("/alerts/{id}/accept"), &seen).await;
    let (status, problem) = other.post(&format!("/alerts/{id}/hand-over"), &seen).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("alert-accepted-by-another")));
    let (status, alert) = other.post(&format!("/alerts/{id}/take-over"), &seen).await;
    assert_eq!((status, &alert["accepted"]["by"]), (StatusCode::OK, &json!("lead")));
    assert_eq!(clinic.pages("a", 1).await[0].text("reason"), "taken-over");
    let (_, one) = other.get(&format!("/alerts/{id}")).await;
    let taken = json!({ "what": "taken-over", "by": "lead", "from": "a" });
    assert!(one["history"].as_array().expect("a list").iter().any(|entry| entry["event"] == taken));
    let accepted: Vec<_> = clinic.published::<AlertAccepted>().await.into_iter().map(|event| event.by).collect();
    assert_eq!(accepted, ["a", "lead"]);
    clinic.close().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("a", Role::Clinician));
    let until = json!({ "revision": 1, "until": "2026-01-06T12:00:00Z", "reason": "scanner" });
    for (path, body, status, code) in [
        ("dispose", json!({ "revision": 1, "note": " " }), 422, "invalid-body"),
        ("dispose", json!({ "revision": 1 }), 422, "invalid-body"),
        ("hand-over", json!({ "revision": 1, "to": "nobody" }), 422, "invalid-body"),
        ("extend", until, 409, "alert-not-accepted"),
    ] {
        let (answer, problem) = doctor.post(&format!("/alerts/{id}/{path}"), &body).await;
        assert_eq!((answer.as_u16(), &problem["code"]), (status, &json!(code)), "{path} {body}");
    }
    let unknown = uuid::Uuid::nil();
    let (status, _) = doctor.post(&format!("/alerts/{unknown}/accept"), &json!({ "revision": 1 })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    clinic.close().await;
}

#[tokio::test]
async fn only_a_clinician_acts_on_a_finding() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let id = clinic.alert().await;
    for role in [Role::Auditor, Role::Coordinator, Role::Operator, Role::System, Role::ProtocolOwner] {
        let answer = clinic.caller("x", role).post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
        assert_eq!(answer.0, StatusCode::FORBIDDEN, "{role:?}");
    }
    let nobody = Caller { token: "none".to_owned(), ..clinic.caller("x", Role::Clinician) };
    assert_eq!(nobody.get("/alerts").await.0, StatusCode::UNAUTHORIZED);
    clinic.close().await;
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let mut clinic = Clinic::open().await;
    let codes = ["one", "two", "three", "four", "five"];
    let found = codes.map(|code| flag(code, Severity::Urgent, Limit::Limit7Days)).to_vec();
    clinic.tell(flags(1, found)).await;
    clinic.pages("a", 0).await;
    let reader = clinic.caller("x", Role::Auditor);
    let (mut seen, mut path) = (Vec::new(), "/alerts?state=listed&limit=2".to_owned());
    loop {
        let (_, list) = reader.get(&path).await;
        let page = list["alerts"].as_array().expect("a list").clone();
        seen.extend(page.iter().map(|alert| alert["code"].as_str().expect("a code").to_owned()));
        let Some(next) = list["next"].as_str() else { break };
        path = format!("/alerts?state=listed&limit=2&after={next}");
    }
    seen.sort_unstable();
    assert_eq!(seen, ["five", "four", "one", "three", "two"]);
    for wrong in ["/alerts?state=asleep", "/alerts?after=x"] {
        assert_eq!(reader.get(wrong).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
    clinic.close().await;
}

#[tokio::test]
async fn on_call_says_who_from_when_to_when() {
    let clinic = Clinic::open().await;
    let (_, on_call) = clinic.caller("x", Role::Clinician).get("/on-call?at=2026-07-01T00:00:00Z").await;
    insta::assert_json_snapshot!("on_call", on_call);
    clinic.close().await;
}

#[tokio::test]
async fn a_test_page_reaches_its_contact_and_opens_nothing() {
    let mut clinic = Clinic::open().await;
    let operator = clinic.caller("x", Role::Operator);
    let (status, answer) = operator.post("/on-call/contacts/c/test", &json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let page = clinic.pages("c", 1).await.remove(0);
    assert_eq!((page.text("severity"), page.text("reason")), ("notice", "test"));
    assert_eq!(page.text("page_id"), answer["page_id"]);
    assert_eq!(operator.post("/on-call/contacts/nobody/test", &json!({})).await.0, StatusCode::NOT_FOUND);
    assert!(clinic.states().await.is_empty());
    clinic.close().await;
}

#[tokio::test]
async fn test_pages_are_no_weapon() {
    let mut clinic = Clinic::open().await;
    let coordinator = clinic.caller("x", Role::Coordinator);
    let nothing = json!({});
    let wishes = (0..200).map(|_| coordinator.post("/on-call/contacts/c/test", &nothing));
    let answers = join_all(wishes).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).count(), 1);
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS).collect();
    assert_eq!((refused.len(), &refused[0].1["code"]), (199, &json!("test-page-sent")));
    clinic.pages("c", 1).await;
    assert_eq!(coordinator.post("/on-call/contacts/a/test", &nothing).await.0, StatusCode::ACCEPTED);
    clinic.pages("a", 1).await;
    clinic.pass(Duration::from_mins(5)).await;
    assert_eq!(coordinator.post("/on-call/contacts/c/test", &nothing).await.0, StatusCode::ACCEPTED);
    clinic.pages("c", 1).await;
    clinic.close().await;
}

#[tokio::test]
async fn of_sixteen_who_accept_at_once_one_has_it_and_the_others_hear_who() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let path = format!("/alerts/{}/accept", clinic.alert().await);
    let seen = json!({ "revision": 1 });
    let clinicians: Vec<_> = (0..16).map(|n| clinic.caller(&format!("dr-{n}"), Role::Clinician)).collect();
    let answers = join_all(clinicians.iter().map(|clinician| clinician.post(&path, &seen))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == StatusCode::OK);
    assert_eq!((taken.len(), refused.len()), (1, 15), "{answers:?}");
    let holder = taken[0].1["accepted"]["by"].as_str().expect("a name");
    for (status, problem) in refused {
        assert_eq!((*status, &problem["code"]), (StatusCode::CONFLICT, &json!("alert-accepted-by-another")));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(holder)), "{problem}");
    }
    assert_eq!(clinic.published::<AlertAccepted>().await.len(), 1);
    clinic.close().await;
}

#[tokio::test]
async fn a_long_history_is_read_part_by_part() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, doctor) = (clinic.alert().await, clinic.caller("a", Role::Clinician));
    let mut entries = 0;
    for _ in 0..260 {
        doctor.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
        doctor.post(&format!("/alerts/{id}/hand-over"), &json!({ "revision": 1, "to": "c" })).await;
    }
    let (mut path, mut parts) = (format!("/alerts/{id}"), 0);
    loop {
        let (_, one) = doctor.get(&path).await;
        let part = one["history"].as_array().expect("a list").len();
        (entries, parts) = (entries + part, parts + 1);
        assert!(part <= 500);
        let Some(next) = one["history_next"].as_i64() else { break };
        path = format!("/alerts/{id}?after={next}");
    }
    assert_eq!((entries, parts), (2 + 260 * 3, 2));
}

#[tokio::test]
async fn two_hundred_refused_bodies_are_one_alert_that_counts_them_and_one_page() {
    let mut clinic = Clinic::open().await;
    for number in 1..=200 {
        let refused = SubmissionRefused {
            episode_id: EPISODE.to_string(),
            refusal_id: uuid::Uuid::from_u128(number).to_string(),
            reason: RefusalReason::Unreadable.into(),
            ..SubmissionRefused::default()
        };
        clinic.publish(Service::Intake, refused).await;
    }
    clinic.settled().await;
    clinic.pages("a", 1).await;
    let (_, list) = clinic.caller("x", Role::Auditor).get("/alerts").await;
    let alerts = list["alerts"].as_array().expect("a list");
    assert_eq!((alerts.len(), &alerts[0]["refusals"]), (1, &json!(200)));
    clinic.close().await;
}
