//! Putting a finding into words: its sentence, its evidence, its time to respond.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::assessment::{Citation, Evidence, Finding, Resolution, Status};
use crate::facts::{Trail, View};
use crate::protocol::{Limit, Odds, Piece, Protocol, Rule, Template, in_words};
use crate::record::Side;
use crate::rules::{Context, Place, Reach, State};

use super::assemble::Listed;
use super::firing::{self, GroundKey, Measure};
use super::history::History;
use super::standing::Key;

pub(super) struct Renderer<'a, 'r> {
    pub(super) protocol: &'a Protocol,
    pub(super) history: &'a History<'r>,
    /// The evaluated visit with everything that was computed for it.
    pub(super) last: (&'a View<'r>, &'a State),
    /// The emergency that elective findings wait for.
    pub(super) waits_for: Option<&'a str>,
    /// Elective findings are a specialist's decision.
    pub(super) specialist: bool,
}

impl Renderer<'_, '_> {
    pub(super) fn finding(&self, listed: &Listed) -> Finding {
        let (last, state) = self.last;
        let corrected = listed.status == Status::CorrectedPending;
        if listed.shown == last.visit && !corrected {
            return self.shown_at(listed, last, state);
        }
        let was = if corrected { self.history.left_out(listed.shown) } else { None };
        let visit = was.or_else(|| self.history.numbered(listed.shown));
        let view = visit.map_or(last, |visit| &visit.view);
        let mut state = self.protocol.state();
        firing::run(self.protocol, view, &mut state, &self.protocol.grave_steps);
        let mut finding = self.shown_at(listed, view, &state);
        let today = self.today(listed.key).into_iter();
        finding.evidence.extend(today.filter(|read| !finding.evidence.contains(read)).collect::<Vec<_>>());
        finding
    }

    /// What the last visit adds to a latched finding that it meets less gravely: a question's open answers.
    fn today(&self, (index, side): Key) -> Vec<Evidence> {
        let (last, state) = self.last;
        if !state.fired(index, side) {
            return Vec::new();
        }
        let place = side.map_or(Place::Visit, Place::Side);
        self.evidence(firing::context(self.protocol, last, state).at(place), index, side)
    }

    fn shown_at(&self, listed: &Listed, view: &View, state: &State) -> Finding {
        let (index, side) = listed.key;
        let rule = &self.protocol.findings[index];
        let place = side.map_or(Place::Visit, Place::Side);
        let at = firing::context(self.protocol, view, state).at(place);
        let limit = rule.limit_at(listed.severity);
        let waits = self.waits_for.filter(|_| rule.elective);
        Finding {
            code: rule.code.clone(),
            side,
            severity: listed.severity,
            status: listed.status,
            qualifiers: self.qualifiers(rule, &listed.qualifiers),
            suppressed_by: waits.map(str::to_owned),
            respond_by: limit
                .filter(|_| listed.status != Status::Persisting)
                .and_then(|limit| self.deadline(limit, listed.since)),
            text: self.sentence(rule, at, &listed.measure),
            action: self.action(rule),
            evidence: self.evidence(at, index, side),
            citations: self.citations(rule),
            measure: self.by_name(&listed.measure),
            limit,
            met: listed.shown == self.last.0.visit,
            met_by: listed.met.iter().map(|number| self.history.order[*number].id.clone()).collect(),
        }
    }

    fn qualifiers(&self, rule: &Rule, held: &[usize]) -> Vec<String> {
        let own = held.iter().map(|index| &rule.qualifiers[*index].name);
        let specialist = (self.specialist && rule.elective).then_some(&self.protocol.elective_qualifier);
        let mut all: Vec<String> = own.chain(specialist).cloned().collect();
        all.sort();
        all
    }

    fn action(&self, rule: &Rule) -> String {
        match self.waits_for {
            Some(_) if rule.elective => format!("{} {}", rule.action, self.protocol.suppressed),
            _ => rule.action.clone(),
        }
    }

    fn deadline(&self, limit: Limit, since: usize) -> Option<DateTime<Utc>> {
        let view = &self.history.numbered(since)?.view;
        let zone = view.episode.time_zone.unwrap_or(Tz::UTC);
        let seen = view.submission.assessed_at.with_timezone(&Utc);
        Some(limit.deadline(seen, view.day, zone))
    }

    fn citations(&self, rule: &Rule) -> Vec<Citation> {
        let local = rule.local.as_ref().map(|local| Citation {
            reference: format!("{}: {local}", self.protocol.local_default),
            resolution: Resolution::Unresolved,
        });
        rule.citations.iter().cloned().chain(local).collect()
    }

    fn evidence(&self, at: Context, finding: usize, side: Option<Side>) -> Vec<Evidence> {
        let (on_side, whole) = &self.protocol.conditions[finding];
        let cond = if side.is_some() { on_side } else { whole };
        let mut trail = Trail::default();
        if let Some(cond) = cond {
            at.trace(cond, &mut trail);
        }
        if let Some(raised) = &self.protocol.findings[finding].raised
            && at.holds(&raised.when).is_yes()
        {
            at.trace(&raised.when, &mut trail);
        }
        let source = |visit: usize| self.history.order.get(visit).map(|source| source.id.clone());
        let sources = trail.into_sources().into_iter().map(|found| Evidence {
            path: found.path.into_owned(),
            value: found.value,
            submission: found.visit.and_then(source),
        });
        sources.collect()
    }

    /// The text of a finding, with the conflict of its evidence and its odds ratios.
    fn sentence(&self, rule: &Rule, at: Context, measure: &Measure) -> String {
        let whole = rule.text_whole.as_ref().filter(|_| at.at.side().is_none());
        let mut text = self.fill(whole.unwrap_or(&rule.text), at, measure);
        for more in rule.conflict.iter().cloned().chain(rule.odds.iter().map(in_general)) {
            text.push(' ');
            text.push_str(&more);
        }
        text
    }

    fn fill(&self, template: &Template, at: Context, measure: &Measure) -> String {
        let mut text = String::new();
        for piece in &template.pieces {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Side => text.extend(at.at.side().map(Side::as_str)),
                Piece::Number(number, unit) => match at.number(number) {
                    Some(number) => text.push_str(&in_words(number, *unit)),
                    None => text.push_str("an unknown value"),
                },
                Piece::Places(definition, reach) => text.push_str(&listing(at, *definition, *reach)),
                Piece::Grounds => {
                    let spoken = |key: &GroundKey| self.ground(*key).replace(['_', '.'], " ");
                    let names: Vec<_> = measure.keys().map(spoken).collect();
                    text.push_str(&names.join(", "));
                }
            }
        }
        text
    }

    fn ground(&self, key: GroundKey) -> String {
        match key {
            GroundKey::Place(place) => place.key(),
            GroundKey::Named(name) => self.protocol.grounds[name].clone(),
        }
    }

    fn by_name(&self, measure: &Measure) -> BTreeMap<String, i64> {
        let named = |(key, value): (&GroundKey, &i64)| (self.ground(*key), *value);
        measure.iter().map(named).collect()
    }
}

/// An odds ratio as what it is: of a group, with its interval.
pub(crate) fn in_general(odds: &Odds) -> String {
    let interval = match &odds.interval {
        Some([low, high]) => format!("95 % interval {low} to {high}"),
        None => "interval not reported".to_owned(),
    };
    format!(
        "In acute patients as a group the adjusted odds ratio for {} was {} ({interval}); it is \
         no probability for this patient.",
        odds.outcome, odds.ratio
    )
}

fn listing(at: Context, definition: usize, reach: Reach) -> String {
    let at = match reach {
        Reach::Bound => at,
        Reach::Side(side) => at.at(Place::Side(side)),
        Reach::Whole => at.at(Place::Visit),
    };
    let places = firing::places(at, definition);
    if places.is_empty() {
        return "nothing".to_owned();
    }
    let named: Vec<_> = places.into_iter().map(|place| with_values(at.view, place)).collect();
    named.join(", ")
}

/// A place with its grade now and the best one before.
fn with_values(view: &View, place: Place) -> String {
    let name = place.key().replace(['_', '.'], " ");
    let (now, before) = match place {
        Place::Movement(at) => (
            view.report().motor.grade(at.side, at.movement),
            view.earlier.motor(at.side, at.movement).map(|site| site.highest.value),
        ),
        Place::Reflex(at) => (
            view.report().reflexes.grade(at.side, at.reflex),
            view.earlier.reflex(at.side, at.reflex).map(|site| site.last.value),
        ),
        Place::Dermatome(at) => (
            view.report().sensation.grade(at.side, at.dermatome),
            view.earlier.sensation(at.side, at.dermatome).map(|site| site.lowest.value),
        ),
        Place::Visit | Place::Side(_) | Place::Item(_) => return name,
    };
    match (now, before) {
        (Some(now), Some(before)) => format!("{name} grade {now} (before: {before})"),
        (Some(now), None) => format!("{name} grade {now} (never graded before)"),
        (None, _) => name,
    }
}
