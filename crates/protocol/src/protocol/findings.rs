//! Lowering one finding: its conditions, qualifiers, grounds, texts and citations.

use toml::Spanned;

use crate::assessment::Severity;
use crate::rules::{Cond, Lowered, Meaning, Mistake, Num, Reach, Scope, lower};

use super::limit::Limit;
use super::load::{Loader, Lowering};
use super::text::Template;
use super::{Ground, Odds, Qualifier, Raised, Rule, file};

/// The longest code of a finding, in bytes: it travels in events, whose size is bounded.
const LONGEST_CODE: usize = 100;
/// Words at the end of a code that make the finding a question.
const ASKS: [&str; 2] = ["-unknown", "-not-excluded"];

pub(super) fn lower_finding(loader: &mut Loader, written: &Spanned<file::Finding>) -> Lowering {
    let line = loader.line(written.span().start);
    let written = written.get_ref();
    let what = written.code.as_str();
    let scope = if written.on_side.is_some() { Scope::Side } else { Scope::Visit };
    complain(loader, written, line);
    let on_side = written.on_side.as_ref().and_then(|text| loader.condition(text, Scope::Side, what));
    let whole = written.when.as_ref().and_then(|text| loader.condition(text, Scope::Visit, what));
    let mut qualifiers = Vec::new();
    for (name, text) in &written.qualifiers {
        let when = loader.condition(text, scope, what);
        let written = text.get_ref().trim().to_owned();
        qualifiers.extend(when.map(|when| Qualifier { name: name.clone(), when, written }));
    }
    let grounds = written.grounds.iter().filter_map(|ground| lower_ground(loader, ground, scope, what));
    let rule = Rule {
        grounds: grounds.collect(),
        code: written.code.clone(),
        section: written.section.clone(),
        severity: written.severity,
        limit: limit(loader, written.limit.as_deref(), written.severity, line, what),
        raised: raised(loader, written, line),
        qualifiers,
        greater: greater(loader, written),
        stands_for: stands_for_others(loader, written, line),
        elective: written.elective,
        asks: ASKS.iter().any(|ending| written.code.ends_with(ending)),
        answered: written.answered.as_ref().and_then(|text| loader.condition(text, Scope::Visit, what)),
        text: Template::lower(loader, &written.text, scope, what),
        text_whole: written.text_whole.as_ref().map(|text| Template::lower(loader, text, Scope::Visit, what)),
        action: written.action.trim().to_owned(),
        conflict: written.conflict.clone(),
        odds: written.odds.iter().map(odds).collect(),
        citations: loader.citations(&written.cites, line, what),
        local: written.local.clone(),
        written: [&written.on_side, &written.when]
            .into_iter()
            .flatten()
            .map(|text| text.get_ref().trim().to_owned())
            .collect(),
    };
    (rule, (on_side, whole))
}

/// Notes what every finding must have.
fn complain(loader: &mut Loader, written: &file::Finding, line: usize) {
    let code = &written.code;
    let mut demand = |there: bool, reason: &str| {
        if !there {
            loader.fault(line, format!("{code}: {reason}"));
        }
    };
    let condition = written.on_side.is_some() || written.when.is_some();
    demand(code.len() <= LONGEST_CODE, "a code may have 100 bytes at most");
    demand(condition, "a finding needs a condition, on_side or when");
    demand(!written.text.get_ref().trim().is_empty(), "a finding needs a text");
    demand(!written.action.trim().is_empty(), "a finding needs an action");
    let cited = !written.cites.is_empty() || written.local.is_some();
    demand(cited, "a finding needs a citation, or a word on its local default");
}

fn limit(loader: &mut Loader, text: Option<&str>, severity: Severity, line: usize, what: &str) -> Option<Limit> {
    let parsed = text.and_then(Limit::parse);
    let reason = match (severity, parsed) {
        _ if text.is_some() && parsed.is_none() => {
            "a limit is now, same-day, or a number of hours or days as 24h or 7d"
        }
        (Severity::Emergency, limit) if limit != Some(Limit::Now) => "an emergency must have the limit now",
        (Severity::Urgent, None) => "an urgent finding needs a limit",
        (Severity::Urgent, Some(limit)) if limit > Limit::Days(7) => "an urgent finding may not wait longer than 7d",
        _ => return parsed,
    };
    loader.fault(line, format!("{what}: {reason}"));
    None
}

fn raised(loader: &mut Loader, written: &file::Finding, line: usize) -> Option<Raised> {
    let raised = written.raised.as_ref()?;
    let what = written.code.as_str();
    if raised.to >= written.severity {
        let reason = format!("{what}: raised may only raise the severity, never lower it");
        loader.fault(line, reason);
    }
    let scope = if written.on_side.is_some() { Scope::Side } else { Scope::Visit };
    Some(Raised {
        to: raised.to,
        limit: limit(loader, raised.limit.as_deref(), raised.to, line, what),
        when: loader.condition(&raised.when, scope, what)?,
        written: raised.when.get_ref().trim().to_owned(),
    })
}

/// The findings that stand for this one are those that list it.
fn greater(loader: &Loader, written: &file::Finding) -> Vec<usize> {
    let listing = loader.stands_for.iter().filter(|(_, lesser)| *lesser == written.code);
    listing.filter_map(|(code, _)| loader.names.finding_by_code(code)).collect()
}

fn stands_for_others(loader: &mut Loader, written: &file::Finding, line: usize) -> Vec<usize> {
    let mut others = Vec::new();
    for lesser in &written.stands_for {
        let Some(finding) = loader.names.finding_by_code(lesser) else {
            loader.fault(line, format!("{}: stands for {lesser}, which is no finding", written.code));
            continue;
        };
        others.push(finding);
    }
    others
}

fn lower_ground(loader: &mut Loader, ground: &file::Ground, scope: Scope, what: &str) -> Option<Ground> {
    if let Some(places) = &ground.places {
        return lower_places(loader, places, &ground.worth, scope, what);
    }
    let Some(name) = ground.name.clone() else {
        let mistake = Mistake::at(0, "a ground needs places or a name");
        return loader.mistake(&ground.worth, &mistake, what);
    };
    let name = loader.ground(name);
    match lower(ground.worth.get_ref(), scope, &loader.names) {
        Ok(Lowered::Truth(when)) => Some(Ground::Condition { name, when }),
        Ok(Lowered::Number(worth, _)) => Some(Ground::Number { name, worth }),
        Err(mistake) => loader.mistake(&ground.worth, &mistake, what),
    }
}

fn lower_places(
    loader: &mut Loader,
    places: &file::Expression,
    worth: &file::Expression,
    scope: Scope,
    what: &str,
) -> Option<Ground> {
    let selection = lower(places.get_ref(), scope, &loader.names);
    let domain_of = |slot: usize| match &loader.names.definitions[slot].meaning {
        Meaning::Selection(domain, _) => Some((slot, *domain)),
        Meaning::Truth(_) | Meaning::Number(_) => None,
    };
    let found = match selection {
        Ok(Lowered::Number(Num::Defined(slot, Reach::Bound | Reach::Whole), _)) => domain_of(slot),
        Ok(_) => None,
        Err(mistake) => return loader.mistake(places, &mistake, what),
    };
    let Some((definition, domain)) = found else {
        let mistake = Mistake::at(0, "places must name a definition that counts places");
        return loader.mistake(places, &mistake, what);
    };
    let worth = loader.number(worth, Scope::Place(domain), what)?;
    Some(Ground::Places { definition, worth })
}

fn odds(written: &file::Odds) -> Odds {
    Odds { outcome: written.outcome.clone(), ratio: written.ratio.clone(), interval: written.interval.clone() }
}

/// Each finding with each lesser one that it stands for.
pub(super) fn stands_for(findings: &[Spanned<file::Finding>]) -> Vec<(String, String)> {
    let pairs = findings.iter().flat_map(|finding| {
        let finding = finding.get_ref();
        let pair = |lesser: &String| (finding.code.clone(), lesser.clone());
        finding.stands_for.iter().map(pair)
    });
    pairs.collect()
}

/// A condition of any finding that is used on its own.
pub(super) fn conditions(rule: &Rule) -> impl Iterator<Item = &Cond> {
    let raised = rule.raised.iter().map(|raised| &raised.when);
    let qualifiers = rule.qualifiers.iter().map(|qualifier| &qualifier.when);
    let grounds = rule.grounds.iter().filter_map(|ground| match ground {
        Ground::Condition { when, .. } => Some(when),
        Ground::Places { .. } | Ground::Number { .. } => None,
    });
    raised.chain(qualifiers).chain(grounds).chain(rule.answered.iter())
}
