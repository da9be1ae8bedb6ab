//! A clinic with a pager for each contact, under a clock that stands still. A page that no test asked for fails it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_alerting::config::OnCallSettings;
use lasegue_alerting::escalation::command::{Action, Command};
use lasegue_alerting::ids::Person;
use lasegue_alerting::service::Alerting;
use lasegue_alerting::store::{alerts, deliveries};
use lasegue_contracts::assessment::{Limit, RedFlag, RedFlagRaised, Severity, Status};
use lasegue_contracts::event::Lane;
use lasegue_contracts::{Event, Service};
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::store::timers;
use lasegue_platform::store::{Migrations, Store, StoreError, outbox};
use lasegue_platform::wire::timestamp;
use lasegue_platform::{Base, Databases, Opened};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::pager::{Page, Pager};
use lasegue_testkit::random::SeededRandom;
use lasegue_testkit::wait::{eventually, pause};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const SECRET: &str = "quiet";
const PATIENCE: Duration = Duration::from_secs(10);
/// The contacts: `a` is on call, then `lead`; `c` is in the catch-all alone.
const CONTACTS: [&str; 3] = ["a", "lead", "c"];
pub(crate) const RULES: &str = r#"
[[rota]]
name = "spine"
members = ["a"]
hand_over = "weekly"
[[policy]]
name = "default"
steps = [{ notify = ["rota:spine"], wait = "5m" }, { notify = ["contact:lead"], wait = "5m" }]
[paging]
link_base = "https://lasegue.example"
coordinator = ["contact:lead"]
"#;

pub(crate) const EPISODE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

/// A running clinic.
pub(crate) struct Clinic {
    pub(crate) clock: ManualClock,
    pub(crate) alerting: Arc<Alerting>,
    pub(crate) pagers: BTreeMap<&'static str, Pager>,
    pub(crate) folder: Arc<TempDir>,
    base: Base,
    senders: BTreeMap<Service, Store>,
    seen: BTreeMap<&'static str, usize>,
    settings: String,
}

impl Clinic {
    pub(crate) async fn open() -> Self {
        Self::open_with(RULES).await
    }

    /// A clinic with other rotas and policies, and a pager for each contact all the same.
    pub(crate) async fn open_with(rules: &str) -> Self {
        let mut pagers = BTreeMap::new();
        for name in CONTACTS {
            pagers.insert(name, Pager::start(SECRET).await);
        }
        let folder = Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files"));
        let clock = ManualClock::at_text("2026-01-05T12:00:00Z");
        let settings = set_up(rules, &pagers);
        Self::start(folder, clock, pagers, BTreeMap::new(), settings).await
    }

    /// Ends the process without any farewell and starts another on the same data.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, clock, pagers, base, seen, settings, .. } = self;
        base.lifecycle.drain(Duration::ZERO).await;
        Self::start(folder, clock, pagers, seen, settings).await
    }

    async fn start(
        folder: Arc<TempDir>,
        clock: ManualClock,
        pagers: BTreeMap<&'static str, Pager>,
        seen: BTreeMap<&'static str, usize>,
        settings: String,
    ) -> Self {
        lasegue_platform::tls::install();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let base = Base {
            bus: Arc::new(EmbeddedBus::new(shared.clone())),
            clock: shared,
            random: Arc::new(SeededRandom::new(clock.now().timestamp().unsigned_abs() + seen.len() as u64)),
            lifecycle: Lifecycle::new(SystemClock::shared()),
            health: lasegue_platform::http::Health::default(),
            databases: Databases::Folder(folder.path().to_owned()),
            migrate: true,
            keys: std::sync::Arc::default(),
            restorable_for: lasegue_platform::store::RESTORABLE_FOR,
            opened: Opened::default(),
        };
        let on_call: OnCallSettings = toml::from_str(&settings).expect("the set-up is TOML");
        let on_call = on_call.check().expect("the set-up is sound");
        let alerting = lasegue_alerting::start(&base, on_call).await.expect("an empty folder takes a new database");
        let mut senders = BTreeMap::new();
        for service in [Service::Intake, Service::Assessment, Service::Scheduling] {
            senders.insert(service, base.open_store(service, Migrations::NONE).await.expect("likewise"));
        }
        Self { clock, alerting, pagers, folder, base, senders, seen, settings }
    }

    /// Publishes an event as assessment would, and waits until alerting has dealt with it.
    pub(crate) async fn tell<E: Event>(&self, event: E) {
        self.tell_as(Service::Assessment, event).await;
    }

    pub(crate) async fn tell_as<E: Event>(&self, sender: Service, event: E) {
        self.publish(sender, event).await;
        self.settled().await;
    }

    pub(crate) async fn publish<E: Event>(&self, sender: Service, event: E) {
        let episode = event.episode_id().parse().unwrap_or(EPISODE);
        self.senders[&sender]
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move { unit.publish(Lane::Live, episode, &event).await })
            })
            .await
            .expect("the outbox takes an event");
    }

    /// Moves the clock and waits until everything that fell due is done.
    pub(crate) async fn pass(&self, span: Duration) {
        // An event that is about to leave would have waited for as long; what nobody reads never leaves.
        for _ in 0..100 {
            if self.all_owed().await == 0 {
                break;
            }
            pause(Duration::from_millis(10)).await;
        }
        self.clock.advance(span);
        self.settled().await;
    }

    /// A clinic in which nobody can be paged, as was asked for.
    pub(crate) async fn of_nobody() -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files"));
        let clock = ManualClock::at_text("2026-01-05T12:00:00Z");
        let settings = "[paging]\nwithout_contacts = true\n".to_owned();
        Self::start(folder, clock, BTreeMap::new(), BTreeMap::new(), settings).await
    }

    /// What readiness says of a part.
    pub(crate) async fn health_of(&self, part: &str) -> String {
        self.base.health.report().await.1[part].as_str().unwrap_or_default().to_owned()
    }

    /// Whether all that is needed holds.
    pub(crate) async fn is_ready(&self) -> bool {
        self.base.health.report().await.0
    }

    /// Waits until no event, no timer and no page is due.
    pub(crate) async fn settled(&self) {
        eventually("nothing is due", || self.is_settled()).await;
    }

    /// How many events of alerting and of those who send to it have not left yet.
    async fn all_owed(&self) -> u64 {
        self.owed().await + outbox::count_owed(self.alerting.store().reader()).await.expect("readable")
    }

    /// How many events of those who send to alerting have not left yet.
    async fn owed(&self) -> u64 {
        let mut owed = 0;
        for store in self.senders.values() {
            owed += outbox::count_owed(store.reader()).await.expect("readable");
        }
        owed
    }

    async fn is_settled(&self) -> bool {
        let owed = self.owed().await;
        // One snapshot: what leaves the one table for the other is seen once.
        let (now, snapshot) = (self.clock.now(), self.alerting.store().reader().begin().await.expect("readable"));
        let timers = timers::Entity::find().filter(timers::Column::DueAt.lte(now)).count(&snapshot).await;
        let sending = deliveries::Column::WakeAt.lte(now).or(deliveries::Column::State.eq("sending"));
        let sending = deliveries::Entity::find().filter(sending).count(&snapshot).await;
        snapshot.rollback().await.expect("nothing was written");
        owed + timers.expect("readable") + sending.expect("readable") == 0
    }

    /// The pages of `contact` that no test has seen yet, once there are `count` of them.
    pub(crate) async fn pages(&mut self, contact: &'static str, count: usize) -> Vec<Page> {
        let seen = self.seen.entry(contact).or_default();
        let arrived = self.pagers[contact].wait_for(PATIENCE, |pages| pages.len() >= *seen + count).await;
        let new = arrived.unwrap_or_else(|pages| panic!("only {} pages for {contact}", pages.len())).split_off(*seen);
        assert!(new.iter().all(|page| page.signed), "a page without a fitting signature");
        *seen += new.len();
        let told: Vec<_> = new.iter().map(|page| page.text("text")).collect();
        assert_eq!(new.len(), count, "an unexpected page for {contact}: {told:?}");
        new
    }

    /// Fails on a page that no test has asked for.
    pub(crate) async fn close(self) {
        self.settled().await;
        for (contact, pager) in &self.pagers {
            let unseen = pager.pages().split_off(self.seen.get(contact).copied().unwrap_or_default());
            let told: Vec<_> = unseen.iter().map(|page| page.text("text")).collect();
            assert!(unseen.is_empty(), "unexpected pages for {contact}: {told:?}");
        }
        assert!(self.base.lifecycle.drain(PATIENCE).await, "the clinic drains");
    }

    /// The events of one kind that alerting has published.
    pub(crate) async fn published<E: Event>(&self) -> Vec<E> {
        let rows = outbox::Entity::find().filter(outbox::Column::EventType.eq(E::TYPE));
        let rows = rows.all(self.alerting.store().reader()).await.expect("readable");
        rows.iter().map(|row| E::decode(&*row.payload).expect("an event")).collect()
    }

    /// Lets somebody sign every open alert, as it is now.
    pub(crate) async fn dispose_all(&self) {
        let reader = self.alerting.store().reader();
        for (case, alert) in alerts::in_states(reader, &["open"], None, 10).await.expect("readable") {
            let (by, action) = (Person("dr-a".to_owned()), Action::Dispose { note: "seen".to_owned() });
            let command = Command { alert: alert.id, by, seen: alert.news, action };
            self.alerting.command(case, &command).await.expect("an open alert can be signed");
        }
    }

    pub(crate) async fn states(&self) -> Vec<String> {
        let all = ["listed", "open", "accepted", "closed"];
        let found = alerts::in_states(self.alerting.store().reader(), &all, None, 100).await.expect("readable");
        found.iter().map(|(_, alert)| format!("{} {}", alert.key, alert.state.word())).collect()
    }
}

fn set_up(rules: &str, pagers: &BTreeMap<&'static str, Pager>) -> String {
    let mut toml = rules.to_owned();
    for (name, pager) in pagers {
        let url = pager.url();
        write!(toml, "[[contact]]\nname = \"{name}\"\nchannels = [{{ kind = \"webhook\", url = \"{url}\", secret = \"{SECRET}\" }}]\n")
            .expect("a string takes text");
    }
    toml
}

/// An emergency, met by the visit of this revision.
pub(crate) fn emergency(revision: u64) -> RedFlagRaised {
    flags(revision, vec![flag("cauda-equina-emergency", Severity::Emergency, Limit::Immediate)])
}

pub(crate) fn flags(revision: u64, flags: Vec<RedFlag>) -> RedFlagRaised {
    let at = at() + chrono::TimeDelta::seconds(revision.try_into().expect("a small number"));
    RedFlagRaised {
        episode_id: EPISODE.to_string(),
        revision,
        submission_id: Uuid::from_u128(revision.into()).to_string(),
        assessed_at: Some(timestamp(at)),
        received_at: Some(timestamp(at)),
        flags,
        ..RedFlagRaised::default()
    }
}

pub(crate) fn flag(code: &str, severity: Severity, limit: Limit) -> RedFlag {
    RedFlag {
        code: code.to_owned(),
        severity: severity.into(),
        status: Status::New.into(),
        limit: limit.into(),
        respond_by: Some(timestamp(at() + chrono::TimeDelta::days(7))),
        measure: [("saddle_sensation".to_owned(), 1)].into(),
        met_at_visit: true,
        ..RedFlag::default()
    }
}

fn at() -> DateTime<Utc> {
    "2026-01-05T11:00:00Z".parse().expect("an instant")
}
