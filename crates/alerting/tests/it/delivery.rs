//! What becomes of a page whose receiver is in trouble, and of one whose sender dies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use chrono::TimeDelta;
use lasegue_alerting::delivery::DeliveryState;
use lasegue_alerting::escalation::command::{Action, Command};
use lasegue_alerting::ids::Person;
use lasegue_alerting::room::AT_ONE_CONTACT;
use lasegue_alerting::store::{alerts, deliveries};
use lasegue_contracts::Service;
use lasegue_contracts::alerting::{PageDelivered, PageFailed};
use lasegue_contracts::assessment::{Limit, RedFlagRaised, Severity};
use lasegue_contracts::platform::MessageDeadLettered;
use lasegue_testkit::pager::Pager;
use lasegue_testkit::wait::{eventually, pause};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::harness::{Clinic, EPISODE, SECRET, emergency, flag, flags};

impl Clinic {
    async fn delivery(&self) -> deliveries::Model {
        let rows = deliveries::Entity::find().all(self.alerting.store().reader()).await.expect("readable");
        rows.into_iter().next().expect("something was queued")
    }

    /// The owner of what is being sent.
    async fn sender(&self) -> Uuid {
        let db = self.alerting.store().reader();
        let sending = || deliveries::Entity::find().filter(deliveries::Column::Owner.is_not_null()).one(db);
        eventually("something is sent", || async { sending().await.expect("readable").is_some() }).await;
        sending().await.expect("readable").and_then(|row| row.owner).expect("it hangs for seconds")
    }
}

#[tokio::test]
async fn a_receiver_in_trouble_is_tried_again_and_the_second_page_is_marked() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    clinic.tell(emergency(1)).await;
    let first = clinic.pages("a", 1).await.remove(0);
    assert!(!first.possible_duplicate());
    clinic.pagers["a"].answer(StatusCode::OK);
    clinic.pass(Duration::from_secs(1)).await;
    let second = clinic.pages("a", 1).await.remove(0);
    assert!(second.possible_duplicate());
    assert_eq!(second.text("page_id"), first.text("page_id"));
    assert_eq!(clinic.delivery().await.state, DeliveryState::Accepted.word());
    clinic.close().await;
}

#[tokio::test]
async fn a_contact_that_cannot_be_reached_is_passed_over_at_once_and_an_operator_hears_of_it() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::GONE);
    clinic.tell(emergency(1)).await;
    let mut to_lead: Vec<_> =
        clinic.pages("lead", 2).await.iter().map(|page| page.text("severity").to_owned()).collect();
    to_lead.sort_unstable();
    assert_eq!(to_lead, ["emergency", "operator"]);
    clinic.pages("c", 1).await;
    clinic.pages("a", 2).await;
    let delivery = clinic.delivery().await;
    assert_eq!((delivery.state.as_str(), delivery.cause.as_deref()), ("failed", Some("refused")));
    clinic.close().await;
}

#[tokio::test]
async fn a_page_left_by_a_dead_sender_is_sent_again_and_marked() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let row = clinic.delivery().await;
    let owner = Uuid::from_u128(99);
    clinic.lease_to(row.id, owner, deliveries::LEASE).await;
    clinic.pass(Duration::from_secs(3)).await;
    let again = clinic.pages("a", 1).await.remove(0);
    assert!(again.possible_duplicate());
    clinic.close().await;
}

#[tokio::test]
async fn a_page_left_by_a_sender_whose_clock_was_set_back_since_is_sent_again_at_once() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let row = clinic.delivery().await;
    clinic.lease_to(row.id, Uuid::from_u128(99), TimeDelta::hours(1)).await;
    clinic.clock.advance(Duration::from_secs(1));
    clinic.pages("a", 1).await;
    clinic.close().await;
}

impl Clinic {
    /// Lets somebody accept every open alert.
    async fn accept_all(&self) {
        let open = alerts::in_states(self.alerting.store().reader(), &["open"], None, 10).await.expect("readable");
        for (case, alert) in open {
            let command =
                Command { alert: alert.id, by: Person("a".to_owned()), seen: alert.news, action: Action::Accept };
            self.alerting.command(case, &command).await.expect("an open alert can be accepted");
        }
    }

    /// Puts a delivery back to where a sender that died during the send leaves it.
    async fn lease_to(&self, id: Uuid, owner: Uuid, lasts: TimeDelta) {
        use lasegue_platform::store::StoreError;
        use sea_orm::ActiveValue::Set;
        self.alerting
            .store()
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move {
                    let row = deliveries::ActiveModel {
                        id: Set(id),
                        state: Set(DeliveryState::Sending.word().to_owned()),
                        owner: Set(Some(owner)),
                        wake_at: Set(Some(unit.now() + lasts)),
                        ..Default::default()
                    };
                    deliveries::Entity::update(row).exec(unit.db()).await.map(drop).map_err(StoreError::from)
                })
            })
            .await
            .expect("the row is there");
    }
}

#[tokio::test]
async fn a_refused_page_takes_the_next_channel_and_both_are_told() {
    let (first, second) = (Pager::start(SECRET).await, Pager::start(SECRET).await);
    first.answer(StatusCode::GONE);
    let rules = format!(
        r#"
[[contact]]
name = "two"
channels = [
    {{ kind = "webhook", url = "{}", secret = "{SECRET}" }},
    {{ kind = "webhook", url = "{}", secret = "{SECRET}" }},
]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:two"], wait = "5m" }}]
"#,
        first.url(),
        second.url()
    );
    let clinic = Clinic::open_with(&rules).await;
    clinic.tell(emergency(1)).await;
    assert_eq!((first.pages().len(), second.pages().len()), (1, 1));
    assert!(second.pages()[0].possible_duplicate());
    let failed: Vec<_> = clinic.published::<PageFailed>().await.into_iter().map(|event| event.cause).collect();
    let delivered: Vec<_> = clinic.published::<PageDelivered>().await.into_iter().map(|event| event.attempts).collect();
    assert_eq!((failed, delivered), (vec!["refused".to_owned()], vec![2]));
    clinic.close().await;
}

#[tokio::test]
async fn what_is_still_to_be_sent_is_recalled_when_somebody_accepts() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    clinic.accept_all().await;
    clinic.pass(Duration::from_mins(1)).await;
    assert_eq!(clinic.delivery().await.state, DeliveryState::Recalled.word());
    clinic.close().await;
}

/// A clinic in which urgent pages go to a receiver that never answers, as long as the receiver is kept.
async fn with_a_silent_receiver() -> (Clinic, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let rules = format!(
        r#"
[[contact]]
name = "silent"
channels = [{{ kind = "webhook", url = "http://{}/", secret = "quiet" }}]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:silent"], wait = "5m" }}]
[[policy]]
name = "emergency"
steps = [{{ notify = ["contact:a"], wait = "5m" }}]
"#,
        silent.local_addr().expect("a bound socket has an address")
    );
    (Clinic::open_with(&rules).await, silent)
}

fn urgent(number: u128) -> RedFlagRaised {
    let urgent = flags(1, vec![flag("cauda-equina-watch", Severity::Urgent, Limit::SameDay)]);
    RedFlagRaised { episode_id: Uuid::from_u128(number).to_string(), ..urgent }
}

#[tokio::test]
async fn a_page_whose_claim_was_committed_but_not_answered_is_sent_while_others_are_under_way() {
    let (mut clinic, _silent) = with_a_silent_receiver().await;
    clinic.publish(Service::Assessment, emergency(1)).await;
    let page = clinic.pages("a", 1).await.remove(0);
    eventually("the page is delivered", || async { clinic.delivery().await.state == DeliveryState::Accepted.word() })
        .await;
    let delivered = clinic.delivery().await;
    clinic.publish(Service::Assessment, urgent(1)).await;
    let sender = clinic.sender().await;
    clinic.lease_to(delivered.id, sender, deliveries::LEASE).await;
    for _ in 0..5 {
        clinic.clock.advance(Duration::from_millis(500));
        pause(Duration::from_millis(50)).await;
    }
    let again = clinic.pages("a", 1).await.remove(0);
    assert!(again.possible_duplicate());
    assert_eq!(again.text("page_id"), page.text("page_id"));
}

/// The urgent findings of the burst, more than a lane sends at once.
const BURST: u128 = 100;

#[tokio::test]
async fn a_burst_of_urgent_pages_that_all_hang_delays_no_emergency() {
    let (mut clinic, _silent) = with_a_silent_receiver().await;
    for number in 1..=BURST {
        clinic.publish(Service::Assessment, urgent(number)).await;
    }
    clinic.publish(Service::Assessment, emergency(1)).await;
    clinic.pages("a", 1).await;
    let rows = deliveries::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable");
    let urgent: Vec<_> = rows.iter().filter(|row| !row.emergency).collect();
    assert!(urgent.iter().all(|row| row.state != DeliveryState::Accepted.word()));
    assert!(urgent.iter().any(|row| row.state == DeliveryState::Sending.word()), "the burst is under way");
}

/// Answers emergencies, and leaves everything else without an answer.
async fn only_emergencies(body: String) {
    if !body.contains("\"severity\":\"emergency\"") {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn an_emergency_waits_for_no_urgent_page_that_hangs_at_the_same_receiver() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let router = axum::Router::new().route("/", axum::routing::post(only_emergencies));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let rules = format!(
        r#"
[[contact]]
name = "choosy"
channels = [{{ kind = "webhook", url = "http://{address}/", secret = "quiet" }}]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:choosy"], wait = "5m" }}]
"#
    );
    let clinic = Clinic::open_with(&rules).await;
    let rows = || async { deliveries::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable") };
    for number in 1..=BURST {
        clinic.publish(Service::Assessment, urgent(number)).await;
    }
    let sending =
        |rows: Vec<deliveries::Model>| rows.iter().filter(|row| row.state == DeliveryState::Sending.word()).count();
    eventually("as many hang as may", || async { sending(rows().await) == AT_ONE_CONTACT }).await;
    clinic.publish(Service::Assessment, emergency(1)).await;
    let accepted = |row: &deliveries::Model| row.case_id == EPISODE && row.state == DeliveryState::Accepted.word();
    eventually("the emergency is taken", || async { rows().await.iter().any(accepted) }).await;
    let failed = rows().await.iter().filter(|row| row.state == DeliveryState::FailedTemporarily.word()).count();
    assert_eq!(failed, 0, "the emergency waited for a send that hung");
}

/// A receiver that answers as many pages as it is let, and what it was sent.
#[derive(Clone)]
struct Slow {
    answers: Arc<Semaphore>,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl Slow {
    async fn start() -> (Self, String) {
        let slow = Self { answers: Arc::new(Semaphore::new(0)), sent: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
        let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
        let router = axum::Router::new().route("/", axum::routing::post(Self::receive)).with_state(slow.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (slow, url)
    }

    async fn receive(State(slow): State<Self>, body: String) {
        let page = serde_json::from_str(&body).expect("a page is JSON");
        slow.sent.lock().expect("no test panics with it").push(page);
        slow.answers.acquire().await.expect("it is never closed").forget();
    }

    fn reasons(&self) -> Vec<String> {
        let sent = self.sent.lock().expect("no test panics with it");
        sent.iter().map(|page| page["reason"].as_str().expect("a word").to_owned()).collect()
    }

    /// Waits until so many pages in all have come.
    async fn has(&self, pages: usize) {
        eventually("the pages come", || async { self.reasons().len() >= pages }).await;
    }
}

#[tokio::test]
async fn what_is_new_goes_before_what_is_repeated() {
    const MANY: usize = BURST as usize;
    let (slow, url) = Slow::start().await;
    let rules = format!(
        r#"
[[contact]]
name = "slow"
channels = [{{ kind = "webhook", url = "{url}", secret = "{SECRET}" }}]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:slow"], wait = "5m" }}]
[paging]
catch_all = ["contact:c"]
"#
    );
    let clinic = Clinic::open_with(&rules).await;
    for number in 1..=BURST {
        clinic.publish(Service::Assessment, urgent(number)).await;
    }
    slow.answers.add_permits(MANY);
    slow.has(MANY).await;
    eventually("all of them have arrived", || async { slow.answers.available_permits() == 0 }).await;
    clinic.clock.advance(Duration::from_mins(5));
    slow.has(MANY + AT_ONE_CONTACT).await;
    assert_eq!(slow.reasons()[MANY..], vec!["repeated"; AT_ONE_CONTACT]);
    clinic.publish(Service::Assessment, urgent(BURST + 1)).await;
    let rows = || async { deliveries::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable") };
    eventually("it is queued", || async { rows().await.iter().any(|row| row.case_id == Uuid::from_u128(BURST + 1)) })
        .await;
    slow.answers.add_permits(1);
    slow.has(MANY + AT_ONE_CONTACT + 1).await;
    assert_eq!(slow.reasons().last().map(String::as_str), Some("opened"), "{:?}", slow.reasons());
    clinic.publish(Service::Assessment, urgent(BURST + 2)).await;
    eventually("it is queued, too", || async {
        rows().await.iter().any(|row| row.case_id == Uuid::from_u128(BURST + 2))
    })
    .await;
    clinic.clock.advance(Duration::from_secs(21));
    slow.answers.add_permits(1);
    slow.has(MANY + AT_ONE_CONTACT + 2).await;
    assert_eq!(slow.reasons().last().map(String::as_str), Some("repeated"), "not for ever");
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_no_place_from_others_of_its_lane() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let rules = format!(
        r#"
[[contact]]
name = "silent"
channels = [{{ kind = "webhook", url = "http://{}/", secret = "quiet" }}]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:silent"], wait = "5m" }}]
[paging]
catch_all = ["contact:c"]
"#,
        silent.local_addr().expect("a bound socket has an address")
    );
    let mut clinic = Clinic::open_with(&rules).await;
    for number in 1..=BURST {
        clinic.publish(Service::Assessment, urgent(number)).await;
    }
    let waiting = || async { deliveries::Entity::find().count(clinic.alerting.store().reader()).await };
    eventually("all are queued", || async { u128::from(waiting().await.expect("readable")) == BURST }).await;
    let letter = MessageDeadLettered { consumer: "assessment-intake".to_owned(), ..MessageDeadLettered::default() };
    clinic.publish(Service::Assessment, letter).await;
    clinic.pages("c", 1).await;
    let rows = deliveries::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable");
    let of = |state: DeliveryState| rows.iter().filter(|row| row.state == state.word()).count();
    assert_eq!(of(DeliveryState::FailedTemporarily), 0, "the page to `c` waited for a send that hung");
    assert!((1..=AT_ONE_CONTACT + 1).contains(&of(DeliveryState::Sending)));
}
