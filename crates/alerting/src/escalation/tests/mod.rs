//! The rules as sentences, the simulation they are shown in, and what holds for any course of events.

mod commands;
mod properties;
mod reports;
mod rules;
mod simulation;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::command::{Action, Command, Refused};
use super::{command, red_flags, report, tick};
use crate::alert::Alert;
use crate::case::Case;
use crate::config::OnCallSettings;
use crate::finding::{Finding, Key, Met, RedFlags, Sighting, Visit};
use crate::ids::{CaseId, Person, Revision, SubmissionId};
use crate::on_call::OnCall;
use crate::plan::{PageOrder, Plan};
use crate::reason::Reason;
use crate::severity::Urgency;

pub(super) const EPISODE: CaseId = CaseId(Uuid::from_u128(7));

/// Two consultants in turn (a from Monday 5 January 2026 9:00 on), then the lead; the coordinator and a night nurse
/// are in the catch-all alone.
const SET_UP: &str = r#"
contact = [
    { name = "a", channels = [{ kind = "webhook", url = "http://host/a", secret = "s" }] },
    { name = "b", channels = [{ kind = "webhook", url = "http://host/b", secret = "s" }] },
    { name = "lead", channels = [{ kind = "webhook", url = "http://host/lead", secret = "s" }] },
    { name = "desk", channels = [{ kind = "webhook", url = "http://host/desk", secret = "s" }] },
]
rota = [{ name = "spine", members = ["a", "b"], hand_over = "weekly", start = "2026-01-05" }]
policy = [{ name = "default", steps = [{ notify = ["rota:spine"], wait = "5m" }, { notify = ["contact:lead"], wait = "10m" }] }]
paging = { coordinator = ["contact:desk"] }
"#;

pub(super) fn set_up(toml: &str) -> OnCall {
    toml::from_str::<OnCallSettings>(toml).unwrap().check().unwrap()
}

/// Monday 12:00 in the first week of the rota.
pub(super) fn noon() -> DateTime<Utc> {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

pub(super) fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// One case under a simulated clock, and every page it sent.
pub(super) struct World {
    pub(super) on_call: OnCall,
    pub(super) now: DateTime<Utc>,
    pub(super) case: Case,
    pub(super) operator: Case,
    pub(super) sent: Vec<(DateTime<Utc>, PageOrder)>,
    pub(super) last: Vec<PageOrder>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(set_up(SET_UP))
    }

    pub(super) fn of(on_call: OnCall) -> Self {
        let operator = Case::new(CaseId::OPERATOR);
        Self { on_call, now: noon(), case: Case::new(EPISODE), operator, sent: Vec::new(), last: Vec::new() }
    }

    /// Takes in what a plan says, as the shell would.
    fn take(&mut self, plan: Plan) {
        self.case = plan.case;
        self.send(plan.pages);
        for report in &plan.reports {
            let told = report::tell(self.operator.clone(), report, &self.on_call, self.now);
            self.operator = told.case;
            self.send(told.pages);
        }
    }

    fn send(&mut self, pages: Vec<PageOrder>) {
        self.sent.extend(pages.iter().map(|page| (self.now, page.clone())));
        self.last.extend(pages);
    }

    pub(super) fn told(&mut self, flags: &RedFlags) {
        let plan = red_flags::decide(self.case.clone(), flags, &self.on_call, self.now);
        self.take(plan);
    }

    /// Lets time pass and does what falls due on the way.
    pub(super) fn pass(&mut self, span: TimeDelta) {
        let until = self.now + span;
        while let Some(at) = self.next_wake().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.take(tick::decide(self.case.clone(), &self.on_call, self.now));
            let operator = tick::decide(self.operator.clone(), &self.on_call, self.now);
            self.operator = operator.case;
            self.send(operator.pages);
        }
        self.now = until;
    }

    fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.case.wake().into_iter().chain(self.operator.wake()).min()
    }

    pub(super) fn act(&mut self, who: &str, action: Action) -> Result<(), Refused> {
        let (alert, seen) = (self.alert().id, self.case.shown());
        self.act_on(Command { alert, by: Person(who.to_owned()), seen, action })
    }

    pub(super) fn act_on(&mut self, command: Command) -> Result<(), Refused> {
        let plan = command::decide(self.case.clone(), command, &self.on_call, self.now)?;
        self.take(plan);
        Ok(())
    }

    /// The only alert there is.
    pub(super) fn alert(&self) -> &Alert {
        assert_eq!(self.case.alerts.len(), 1, "{:?}", self.case.alerts);
        self.case.alerts.values().next().unwrap()
    }

    /// Who was paged since this was last asked, and why.
    pub(super) fn paged(&mut self) -> Vec<String> {
        std::mem::take(&mut self.last)
            .iter()
            .map(|page| format!("{} {}", page.contact, page.headline().unwrap().reason.word()))
            .collect()
    }

    pub(super) fn states(&self) -> BTreeSet<String> {
        self.case.alerts.values().map(|alert| format!("{} {}", alert.key, alert.state.word())).collect()
    }
}

/// Red flags of one revision, of the visit of the same number at noon, which met what is neither latched nor met by another.
pub(super) fn flags(number: u64, mut findings: Vec<Finding>) -> RedFlags {
    let (revision, visit) = (Revision(number), visit(number));
    for finding in &mut findings {
        finding.last_met = finding.last_met.take().or_else(|| finding.met_at_visit.then(|| sighting(number)));
    }
    RedFlags {
        case: EPISODE,
        revision,
        told_at: visit.received_at,
        visit,
        findings,
        persisting: Vec::new(),
        dispositions: Vec::new(),
    }
}

pub(super) fn visit(number: u64) -> Visit {
    Visit {
        submission: SubmissionId(Uuid::from_u128(number.into())),
        assessed_at: noon(),
        received_at: noon() + TimeDelta::seconds(number.try_into().unwrap()),
        imported: false,
    }
}

/// What the visit of a number is to what it met.
pub(super) fn sighting(number: u64) -> Sighting {
    let Visit { submission, received_at, .. } = visit(number);
    Sighting { submission, received_at, revision: Revision(number) }
}

pub(super) fn finding(code: &str, urgency: Urgency) -> Finding {
    let limit = match urgency {
        Urgency::SevenDays => TimeDelta::days(7),
        Urgency::OneDay => TimeDelta::days(1),
        Urgency::SameDay => TimeDelta::hours(11),
        Urgency::Emergency => TimeDelta::zero(),
    };
    Finding {
        key: Key::of(code),
        urgency,
        respond_by: noon() + limit,
        measure: [("ground".to_owned(), 1)].into(),
        met_at_visit: true,
        last_met: None,
        met: None,
        ask: code.ends_with("-unknown") || code.ends_with("-not-excluded"),
        corrected_pending: false,
    }
}

pub(super) fn emergency() -> Finding {
    finding("cauda-equina-emergency", Urgency::Emergency)
}

pub(super) fn worse(mut finding: Finding) -> Finding {
    *finding.measure.get_mut("ground").unwrap() += 1;
    finding
}

pub(super) fn latched(finding: Finding) -> Finding {
    Finding { met_at_visit: false, ..finding }
}

pub(super) fn reasons(world: &World) -> Vec<Reason> {
    world.sent.iter().map(|(_, page)| page.headline().unwrap().reason).collect()
}
