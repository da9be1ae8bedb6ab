//! Who can be paged, by whom and how fast: the checked on-call set-up.
//! Every name in it exists; the services trust it without looking again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use secrecy::SecretString;

use crate::hours::Hours;
use crate::ids::{ContactName, RotaName};
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
    pub(crate) hours: Hours,
    pub(crate) link_base: Url,
}

/// A person who can be paged.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Tried in this order; at least one.
    pub channels: Vec<Address>,
}

/// Where one channel reaches a contact.
#[derive(Clone, Debug)]
pub enum Address {
    /// A signed HTTP POST.
    Webhook {
        /// Where to.
        url: Url,
        /// The key of the signature.
        secret: SecretString,
    },
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

    /// Whether no one at all can be paged: the set-up is still to be written.
    pub fn is_nobody(&self) -> bool {
        self.contacts.is_empty()
    }
}
