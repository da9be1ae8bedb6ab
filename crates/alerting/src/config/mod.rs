//! The on-call set-up as it stands in the configuration file. Unknown keys are refused.
//! [`OnCallSettings::check`] turns it into an [`OnCall`](crate::on_call::OnCall), or names every fault at once.

mod check;
mod duration;
mod faults;
mod names;
mod targets;
#[cfg(test)]
mod tests;
mod warnings;

use std::fmt;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use chrono_tz::Tz;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

pub use duration::Span;
pub use faults::{Fault, Faults};

/// `[[contact]]`, `[[rota]]`, `[[policy]]` and `[paging]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnCallSettings {
    /// The people who can be paged.
    pub contact: Vec<ContactSettings>,
    /// Who of them is on call when.
    pub rota: Vec<RotaSettings>,
    /// Whom an alert pages, in which order.
    pub policy: Vec<PolicySettings>,
    /// What holds for the whole clinic.
    pub paging: PagingSettings,
    /// Who is told that paging is alive; nobody when left out.
    pub heartbeat: Option<HeartbeatSettings>,
}

/// A dead man's switch: it raises the alarm when signs of life stay away.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatSettings {
    /// `http` or `https`; whoever knows it can give signs of life.
    pub url: SecretString,
    /// How often a sign of life is given.
    #[serde(default = "a_minute")]
    pub every: Span,
}

/// One person who can be paged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactSettings {
    /// Lower case letters, digits, `-` and `_`; also the name under which this person signs in, if they do.
    pub name: String,
    /// Tried in this order.
    pub channels: Vec<ChannelSettings>,
}

/// One way to reach a contact.
#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ChannelSettings {
    /// A signed HTTP POST.
    Webhook {
        /// `http` or `https`.
        url: String,
        /// The key of the signature.
        secret: SecretString,
    },
}

impl fmt::Debug for ChannelSettings {
    /// Without the address, which is a secret at many receivers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook { .. } => f.write_str("Webhook"),
        }
    }
}

/// People who take turns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaSettings {
    /// Targets name it as `rota:<name>`.
    pub name: String,
    /// The zone in which the hand-over time is read.
    #[serde(default)]
    pub time_zone: Zone,
    /// Contacts, in the order of their turns.
    pub members: Vec<String>,
    /// How long a turn is.
    pub hand_over: TurnSettings,
    /// The weekday on which a weekly turn begins.
    #[serde(default = "monday", deserialize_with = "weekday")]
    pub hand_over_day: Weekday,
    /// The local time at which a turn begins, `HH:MM`.
    #[serde(default = "nine", deserialize_with = "time_of_day")]
    pub hand_over_time: NaiveTime,
    /// The day on which the first member's first turn begins. Before it nobody is on call. Without it the turns are
    /// counted from 1 January 2024.
    #[serde(default)]
    pub start: Option<NaiveDate>,
}

/// How long one turn lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnSettings {
    /// Seven days.
    Weekly,
    /// One day.
    Daily,
}

/// The steps of an escalation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySettings {
    /// `default`, or `emergency` or `urgent` for a severity of its own.
    pub name: String,
    /// Taken in this order, then over again.
    pub steps: Vec<StepSettings>,
}

/// One step of an escalation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSettings {
    /// `rota:<name>` or `contact:<name>`.
    pub notify: Vec<String>,
    /// How long somebody has to accept before the next step.
    pub wait: Span,
}

/// What holds for the whole clinic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PagingSettings {
    /// The clinic's zone, for `day_from` and `day_to`.
    pub time_zone: Zone,
    /// From this local time a finding with a 24 hour limit is paged.
    #[serde(deserialize_with = "time_of_day")]
    pub day_from: NaiveTime,
    /// Until this local time.
    #[serde(deserialize_with = "time_of_day")]
    pub day_to: NaiveTime,
    /// Who is paged as well once the steps have run out; every contact when left out.
    pub catch_all: Option<Vec<String>>,
    /// Who is told of imports and missed visits; nobody when left out.
    pub coordinator: Vec<String>,
    /// Nobody is to be paged: without this a set-up without contacts is refused.
    pub without_contacts: bool,
    /// What links in pages begin with: the address of the console as the clinicians reach it.
    pub link_base: String,
    /// For how many years alerts about patients are kept after they were closed, with all that happened to them.
    pub keep_years: u32,
}

impl Default for PagingSettings {
    fn default() -> Self {
        Self {
            time_zone: Zone::default(),
            day_from: hour(7),
            day_to: hour(22),
            catch_all: None,
            coordinator: Vec::new(),
            without_contacts: false,
            link_base: "http://127.0.0.1:8080".to_owned(),
            keep_years: 10,
        }
    }
}

/// A zone of the IANA data base; UTC when left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = |_| de::Error::custom("no time zone: write an IANA name such as \"Europe/London\"");
        name.parse().map(Self).map_err(unknown)
    }
}

fn a_minute() -> Span {
    Span(TimeDelta::minutes(1))
}

fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

fn nine() -> NaiveTime {
    hour(9)
}

fn monday() -> Weekday {
    Weekday::Mon
}

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M")
        .map_err(|_| de::Error::custom("no time of day: write it as \"09:00\", at most \"23:59\""))
}

fn weekday<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom("no weekday: write \"monday\" to \"sunday\""))
}
