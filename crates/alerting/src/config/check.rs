//! From what was written to what is trusted: every name must exist, every number must make sense.
//! Finds all faults, not the first; each says what to write.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use reqwest::Url;

use super::{
    ChannelSettings, ContactSettings, OnCallSettings, PagingSettings, PolicySettings, RotaSettings, StepSettings,
    TurnSettings,
};
use super::{Fault, Faults};
use crate::hours::Hours;
use crate::ids::{ContactName, RotaName};
use crate::on_call::{Address, Contact, OnCall, Policies, Policy, Step, Target};
use crate::rota::{Rota, Turn};

/// The shortest and the longest a step may wait. The longest keeps an emergency moving.
const STEP_WAIT: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::minutes(30));
/// The most contacts, rotas, members, channels, steps or targets of one kind.
const MOST: usize = 500;

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
        let contacts = settings.contact.iter().map(|contact| self.contact(contact)).collect();
        let rotas = settings.rota.iter().map(|rota| self.rota(rota)).collect();
        let policies = self.policies(settings);
        let paging = &settings.paging;
        OnCall {
            catch_all: match &paging.catch_all {
                Some(targets) => self.targets("paging, catch_all", targets),
                None => self.contacts.iter().cloned().map(Target::Contact).collect(),
            },
            coordinator: self.targets("paging, coordinator", &paging.coordinator),
            hours: self.hours(paging),
            link_base: self.url("paging, link_base", &paging.link_base),
            contacts,
            rotas,
            policies,
        }
    }

    /// Names are unique, short and safe to show anywhere.
    fn names<'a>(&mut self, what: &str, names: impl Iterator<Item = &'a String>) {
        let mut seen = BTreeSet::new();
        for name in names {
            let place = format!("{what} \"{name}\"");
            let fits = (1..=64).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
            if !fits {
                self.fault(&place, "write a name of 1 to 64 lower case letters, digits, `-` and `_`");
            }
            if !seen.insert(name) {
                self.fault(&place, "the name is taken twice; rename one");
            }
        }
        if seen.len() > MOST {
            self.fault(what, format!("there are {}; at most {MOST} are possible", seen.len()));
        }
    }

    fn contact(&mut self, settings: &ContactSettings) -> (ContactName, Contact) {
        let place = format!("contact \"{}\"", settings.name);
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
                Address::Webhook { url: self.url(&format!("{place}, webhook"), url), secret: secret.clone() }
            }
        }
    }

    fn rota(&mut self, settings: &RotaSettings) -> (RotaName, Rota) {
        let place = format!("rota \"{}\"", settings.name);
        self.filled(&place, "members", settings.members.len(), "members = [\"consultant-a\", \"consultant-b\"]");
        let members: Vec<_> = settings.members.iter().map(|name| ContactName(name.clone())).collect();
        for member in &members {
            self.known_contact(&place, member);
        }
        let time = settings.hand_over_time;
        let turn = match settings.hand_over {
            TurnSettings::Weekly => Turn::Weekly { day: settings.hand_over_day, time },
            TurnSettings::Daily => Turn::Daily { time },
        };
        (RotaName(settings.name.clone()), Rota { zone: settings.time_zone.0, members, turn, start: settings.start })
    }

    fn policies(&mut self, settings: &OnCallSettings) -> Policies {
        let mut found: BTreeMap<_, _> =
            settings.policy.iter().map(|policy| (policy.name.as_str(), self.policy(policy))).collect();
        let default = found.remove("default");
        if default.is_none() && !(settings.contact.is_empty() && settings.rota.is_empty() && settings.policy.is_empty())
        {
            self.fault(
                "policy",
                "there is no policy named \"default\"; write [[policy]] name = \"default\" with its steps",
            );
        }
        let policies = Policies {
            default: default.unwrap_or_default(),
            emergency: found.remove("emergency"),
            urgent: found.remove("urgent"),
        };
        for name in found.into_keys() {
            self.fault(
                &format!("policy \"{name}\""),
                "nothing uses it; a policy is named \"default\", \"emergency\" or \"urgent\"",
            );
        }
        policies
    }

    fn policy(&mut self, settings: &PolicySettings) -> Policy {
        let place = format!("policy \"{}\"", settings.name);
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
            self.fault(place, format!("wait = \"{}\" is not possible; write \"1s\" to \"30m\"", settings.wait));
        }
        Step { targets: self.targets(place, &settings.notify), wait }
    }

    fn filled(&mut self, place: &str, what: &str, count: usize, example: &str) {
        if count == 0 {
            self.fault(place, format!("{what} is empty; write {example}"));
        } else if count > MOST {
            self.fault(place, format!("{what} has {count} entries; at most {MOST} are possible"));
        }
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
                self.fault(
                    place,
                    format!("`{written}` is no web address; write one that begins with http:// or https://"),
                );
                nowhere()
            }
        }
    }
}

fn nowhere() -> Url {
    Url::parse("http://127.0.0.1").expect("a fixed address is well formed")
}
