//! From what was written to what is trusted: every name must exist, every number must make sense.
//! Finds all faults, not the first; each says what to write, and none what is written: it may be a secret.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use reqwest::Url;
use secrecy::ExposeSecret;

use super::names::{POLICIES, called};
use super::{
    ChannelSettings, ContactSettings, HeartbeatSettings, OnCallSettings, PagingSettings, PolicySettings, RotaSettings,
    StepSettings, TurnSettings,
};
use super::{Fault, Faults};
use crate::heartbeat::Heartbeat;
use crate::hours::Hours;
use crate::ids::{ContactName, RotaName};
use crate::on_call::{Address, Contact, OnCall, Policies, Policy, Step, Target};
use crate::rota::{Rota, Turn};

/// The shortest and the longest a step may wait. The longest keeps an emergency moving.
const STEP_WAIT: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::minutes(30));
/// The shortest and the longest wait between two signs of life.
const BEATS: (TimeDelta, TimeDelta) = (TimeDelta::seconds(10), TimeDelta::hours(1));
/// The shortest and the longest that alerts about patients can be kept.
const KEEP_YEARS: (u32, u32) = (1, 100);
/// The most contacts, rotas, members, channels, steps or targets of one kind.
pub(super) const MOST: usize = 500;

impl OnCallSettings {
    /// The set-up, once every name in it exists. An empty one is a set-up of nobody.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self) -> Result<OnCall, Faults> {
        let mut checker = Checker::new(self);
        let on_call = checker.on_call(self);
        if checker.faults.is_empty() { Ok(on_call) } else { Err(Faults(checker.faults)) }
    }
}

pub(super) struct Checker {
    pub(super) contacts: BTreeSet<ContactName>,
    pub(super) rotas: BTreeSet<RotaName>,
    faults: Vec<Fault>,
}

impl Checker {
    fn new(settings: &OnCallSettings) -> Self {
        Self {
            contacts: settings.contact.iter().map(|contact| ContactName(contact.name.clone())).collect(),
            rotas: settings.rota.iter().map(|rota| RotaName(rota.name.clone())).collect(),
            faults: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, place: &str, message: impl Into<String>) {
        self.faults.push(Fault { place: place.to_owned(), message: message.into() });
    }

    fn on_call(&mut self, settings: &OnCallSettings) -> OnCall {
        self.names("contact", settings.contact.iter().map(|contact| &contact.name));
        self.names("rota", settings.rota.iter().map(|rota| &rota.name));
        self.names("policy", settings.policy.iter().map(|policy| &policy.name));
        if settings.contact.is_empty() && !(settings.rota.is_empty() && settings.policy.is_empty()) {
            self.fault(
                "contact",
                "there is no [[contact]]; write one with a name and channels for everybody who is paged",
            );
        }
        if settings.paging.without_contacts && !settings.contact.is_empty() {
            self.fault(
                "paging",
                "nobody is to be paged (without_contacts, or --without-contacts), and there are contacts; leave out one of the two",
            );
        }
        let contacts =
            settings.contact.iter().enumerate().map(|(index, contact)| self.contact(index, contact)).collect();
        let rotas = settings.rota.iter().enumerate().map(|(index, rota)| self.rota(index, rota)).collect();
        let policies = self.policies(settings);
        let paging = &settings.paging;
        OnCall {
            catch_all: match &paging.catch_all {
                Some(targets) => {
                    if targets.is_empty() {
                        self.fault("paging", "catch_all is empty; name somebody, or leave it out for every contact");
                    }
                    self.targets("paging, catch_all", targets)
                }
                None => self.contacts.iter().cloned().map(Target::Contact).collect(),
            },
            coordinator: self.targets("paging, coordinator", &paging.coordinator),
            without_contacts: paging.without_contacts,
            heartbeat: settings.heartbeat.as_ref().map(|heartbeat| self.heartbeat(heartbeat)),
            hours: self.hours(paging),
            link_base: self.url("paging, link_base", &paging.link_base),
            keep_years: self.keep_years(paging),
            contacts,
            rotas,
            policies,
        }
    }

    fn heartbeat(&mut self, settings: &HeartbeatSettings) -> Heartbeat {
        let url = Url::parse(settings.url.expose_secret()).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            self.fault("heartbeat, url", "it is no web address; write one that begins with http:// or https://");
        }
        let every = settings.every.0;
        if every < BEATS.0 || every > BEATS.1 {
            self.fault("heartbeat, every", "it is not possible; write \"10s\" to \"1h\"");
        }
        Heartbeat { url: settings.url.clone(), every }
    }

    fn contact(&mut self, index: usize, settings: &ContactSettings) -> (ContactName, Contact) {
        let place = called("contact", index, &settings.name);
        self.filled(
            &place,
            "channels",
            settings.channels.len(),
            "channels = [{ kind = \"webhook\", url = \"https://...\", secret = \"...\" }]",
        );
        let channels = settings.channels.iter().map(|channel| self.address(&place, channel)).collect();
        (ContactName(settings.name.clone()), Contact { channels })
    }

    fn address(&mut self, place: &str, channel: &ChannelSettings) -> Address {
        match channel {
            ChannelSettings::Webhook { url, secret } => {
                if secret.expose_secret().trim().is_empty() {
                    self.fault(place, "secret is empty; write the one that the receiver checks the signature with");
                }
                Address::Webhook { url: self.url(&format!("{place}, webhook"), url), secret: secret.clone() }
            }
        }
    }

    fn rota(&mut self, index: usize, settings: &RotaSettings) -> (RotaName, Rota) {
        let place = called("rota", index, &settings.name);
        self.filled(&place, "members", settings.members.len(), "members = [\"consultant-a\", \"consultant-b\"]");
        let members: Vec<_> = settings.members.iter().map(|name| ContactName(name.clone())).collect();
        let mut seen = BTreeSet::new();
        for (index, member) in members.iter().enumerate() {
            let place = format!("{place}, member {}", index + 1);
            self.known_contact(&place, member);
            if !seen.insert(member) {
                self.fault(&place, "it is a member already; each takes one turn in a round");
            }
        }
        let time = settings.hand_over_time;
        let turn = match settings.hand_over {
            TurnSettings::Weekly => Turn::Weekly { day: settings.hand_over_day, time },
            TurnSettings::Daily => Turn::Daily { time },
        };
        (RotaName(settings.name.clone()), Rota { zone: settings.time_zone.0, members, turn, start: settings.start })
    }

    fn policies(&mut self, settings: &OnCallSettings) -> Policies {
        let mut found: BTreeMap<_, _> = settings
            .policy
            .iter()
            .enumerate()
            .map(|(index, policy)| (policy.name.as_str(), self.policy(index, policy)))
            .collect();
        let default = found.remove("default");
        if default.is_none() && !(settings.contact.is_empty() && settings.rota.is_empty() && settings.policy.is_empty())
        {
            self.fault(
                "policy",
                "there is no policy named \"default\"; write [[policy]] name = \"default\" with its steps",
            );
        }
        Policies {
            default: default.unwrap_or_default(),
            emergency: found.remove("emergency"),
            urgent: found.remove("urgent"),
        }
    }

    fn policy(&mut self, index: usize, settings: &PolicySettings) -> Policy {
        let place = called("policy", index, &settings.name);
        if !POLICIES.contains(&settings.name.as_str()) {
            self.fault(&place, "nothing uses it; a policy is named \"default\", \"emergency\" or \"urgent\"");
        }
        self.filled(&place, "steps", settings.steps.len(), "steps = [{ notify = [\"rota:...\"], wait = \"5m\" }]");
        let steps = settings
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| self.step(&format!("{place}, step {}", index + 1), step));
        Policy { steps: steps.collect() }
    }

    fn step(&mut self, place: &str, settings: &StepSettings) -> Step {
        self.filled(place, "notify", settings.notify.len(), "notify = [\"rota:...\"]");
        let wait = settings.wait.0;
        if wait < STEP_WAIT.0 || wait > STEP_WAIT.1 {
            self.fault(&format!("{place}, wait"), "it is not possible; write \"1s\" to \"30m\"");
        }
        Step { targets: self.targets(&format!("{place}, notify"), &settings.notify), wait }
    }

    fn filled(&mut self, place: &str, what: &str, count: usize, example: &str) {
        if count == 0 {
            self.fault(place, format!("{what} is empty; write {example}"));
        } else if count > MOST {
            self.fault(place, format!("{what} has {count} entries; at most {MOST} are possible"));
        }
    }

    fn keep_years(&mut self, paging: &PagingSettings) -> u32 {
        if !(KEEP_YEARS.0..=KEEP_YEARS.1).contains(&paging.keep_years) {
            let (least, most) = KEEP_YEARS;
            self.fault("paging, keep_years", format!("it is not possible; write {least} to {most}"));
        }
        paging.keep_years
    }

    fn hours(&mut self, paging: &PagingSettings) -> Hours {
        if paging.day_from >= paging.day_to {
            self.fault("paging", "day_from must be before day_to, such as \"07:00\" and \"22:00\"");
        }
        Hours { zone: paging.time_zone.0, from: paging.day_from, to: paging.day_to }
    }

    fn url(&mut self, place: &str, written: &str) -> Url {
        match Url::parse(written) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                // It may hold a secret, so it is not repeated.
                self.fault(place, "the url is no web address; write one that begins with http:// or https://");
                nowhere()
            }
        }
    }
}

fn nowhere() -> Url {
    Url::parse("http://127.0.0.1").expect("a fixed address is well formed")
}
