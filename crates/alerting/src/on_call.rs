//! Who can be paged, by whom and how fast: the checked on-call set-up.
//! Every name in it exists; the services trust it without looking again.

use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, iter};

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_values::may_be_one;
use reqwest::Url;
use secrecy::SecretString;

use crate::heartbeat::Heartbeat;
use crate::hours::Hours;
use crate::ids::{ContactName, Person, RotaName};
use crate::rota::Rota;
use crate::severity::Severity;

/// The checked on-call set-up of one clinic.
#[derive(Clone, Debug)]
pub struct OnCall {
    pub(crate) contacts: BTreeMap<ContactName, Contact>,
    pub(crate) rotas: BTreeMap<RotaName, Rota>,
    pub(crate) policies: Policies,
    pub(crate) catch_all: Vec<Target>,
    pub(crate) coordinator: Vec<Target>,
    pub(crate) without_contacts: bool,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) hours: Hours,
    pub(crate) link_base: Url,
    pub(crate) keep_years: u32,
}

/// A person who can be paged.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Tried in this order; at least one.
    pub channels: Vec<Address>,
}

/// Where one channel reaches a contact.
#[derive(Clone)]
pub enum Address {
    /// A signed HTTP POST.
    Webhook {
        /// Where to.
        url: Url,
        /// The key of the signature.
        secret: SecretString,
    },
}

impl Address {
    /// The host and port that it is reached at.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Webhook { url, .. } => {
                Some(format!("{}:{}", url.host_str()?, url.port_or_known_default().unwrap_or_default()))
            }
        }
    }
}

impl fmt::Debug for Address {
    /// Without the address, which is a secret at many receivers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook { .. } => f.write_str("Webhook"),
        }
    }
}

/// The escalation policies, by what they are for.
#[derive(Clone, Debug)]
pub struct Policies {
    pub(crate) default: Policy,
    pub(crate) emergency: Option<Policy>,
    pub(crate) urgent: Option<Policy>,
}

/// The steps of an escalation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Taken in this order, then over again.
    pub steps: Vec<Step>,
}

/// One step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who is paged.
    pub targets: Vec<Target>,
    /// How long until the next step.
    pub wait: TimeDelta,
}

/// Whom a step pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever is on call.
    Rota(RotaName),
    /// One person.
    Contact(ContactName),
}

/// Who stands behind some targets at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Each person once.
    pub contacts: BTreeSet<ContactName>,
    /// Rotas on which nobody is on call.
    pub gaps: BTreeSet<RotaName>,
}

impl OnCall {
    /// The policy for alerts of `severity`.
    pub fn policy(&self, severity: Severity) -> &Policy {
        let special = match severity {
            Severity::Emergency => &self.policies.emergency,
            Severity::Urgent => &self.policies.urgent,
        };
        special.as_ref().unwrap_or(&self.policies.default)
    }

    /// The longest that a step of any policy waits for the next.
    pub fn longest_wait(&self) -> TimeDelta {
        let Policies { default, emergency, urgent } = &self.policies;
        let steps = iter::once(default).chain(emergency).chain(urgent).flat_map(|policy| &policy.steps);
        steps.map(|step| step.wait).max().unwrap_or_default()
    }

    /// The people behind `targets` at `now`.
    pub fn reach(&self, targets: &[Target], now: DateTime<Utc>) -> Reached {
        let mut reached = Reached::default();
        for target in targets {
            match target {
                Target::Contact(name) => _ = reached.contacts.insert(name.clone()),
                Target::Rota(name) => match self.rotas.get(name).and_then(|rota| rota.on_call(now)) {
                    Some(contact) => _ = reached.contacts.insert(contact.clone()),
                    None => _ = reached.gaps.insert(name.clone()),
                },
            }
        }
        reached
    }

    /// Who is paged as well once the steps have run out.
    pub fn catch_all(&self) -> &[Target] {
        &self.catch_all
    }

    /// Who is told of imports and missed visits.
    pub fn coordinator(&self) -> &[Target] {
        &self.coordinator
    }

    /// When a finding with a 24 hour limit may be paged.
    pub fn hours(&self) -> &Hours {
        &self.hours
    }

    /// The contact of this name.
    pub fn contact(&self, name: &ContactName) -> Option<&Contact> {
        self.contacts.get(name)
    }

    /// The contact that a person is who signs in: of that very name, or the only one whose name is taken for it.
    pub fn contact_of(&self, person: &Person) -> Option<ContactName> {
        let own = ContactName(person.0.clone());
        if self.contacts.contains_key(&own) {
            return Some(own);
        }
        let mut alike = self.contacts.keys().filter(|name| may_be_one(&name.0, &person.0));
        alike.next().filter(|_| alike.next().is_none()).cloned()
    }

    /// Every contact.
    pub fn contacts(&self) -> impl Iterator<Item = (&ContactName, &Contact)> {
        self.contacts.iter()
    }

    /// Every rota.
    pub fn rotas(&self) -> impl Iterator<Item = (&RotaName, &Rota)> {
        self.rotas.iter()
    }

    /// What links in pages begin with.
    pub fn link_base(&self) -> &Url {
        &self.link_base
    }

    /// Where a sign of life is given, and how often.
    pub fn heartbeat(&self) -> Option<&Heartbeat> {
        self.heartbeat.as_ref()
    }

    /// Whether it was asked for that nobody can be paged.
    pub fn may_be_nobody(&self) -> bool {
        self.without_contacts
    }

    /// For how many years alerts about patients are kept after they were closed.
    pub fn keep_years(&self) -> u32 {
        self.keep_years
    }

    /// Whether no one at all can be paged.
    pub fn is_nobody(&self) -> bool {
        self.contacts.is_empty()
    }
}
