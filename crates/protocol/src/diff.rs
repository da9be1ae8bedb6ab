//! What changes clinically from one protocol to another: numbers, conditions, severities, limits
//! and actions, each with the findings that it touches.

use crate::protocol::{Limit, Protocol, Qualifier, Rule, Uses, VisitRule, in_words};

/// Every clinical change, as sentences; empty when only words differ.
pub fn changes(old: &Protocol, new: &Protocol) -> Vec<String> {
    let mut changes = thresholds(old, new);
    changes.extend(options(old, new));
    changes.extend(definitions(old, new));
    changes.extend(findings(old, new));
    changes.extend(schedule(old, new));
    changes
}

fn touching(protocol: &Protocol, wanted: impl Fn(&Uses) -> bool) -> String {
    match protocol.codes_using(wanted).as_slice() {
        [] => "touches no finding by itself".to_owned(),
        codes => format!("touches {}", codes.join(", ")),
    }
}

fn thresholds(old: &Protocol, new: &Protocol) -> Vec<String> {
    let changed = new.thresholds.iter().enumerate().filter_map(|(index, now)| {
        let shown = in_words(now.value, now.unit);
        let touches = touching(new, |uses| uses.thresholds.contains(&index));
        let Some(before) = old.thresholds.iter().find(|before| before.name == now.name) else {
            return Some(format!("new threshold {}: {shown}, {}; {touches}", now.name, now.meaning));
        };
        (before.value != now.value).then(|| {
            let before = in_words(before.value, before.unit);
            format!("{} ({}): {before} becomes {shown}; {touches}", now.name, now.meaning)
        })
    });
    let bounds = new.thresholds.iter().filter_map(|now| {
        let before = old.thresholds.iter().find(|before| before.name == now.name)?;
        (before.safe != now.safe).then(|| {
            let (least, most) = now.safe;
            let (least, most) = (in_words(least, now.unit), in_words(most, now.unit));
            format!("what is declared safe for {} becomes {least} to {most}", now.name)
        })
    });
    changed.chain(bounds).collect()
}

fn options(old: &Protocol, new: &Protocol) -> Vec<String> {
    let changed = new.options.iter().enumerate().filter_map(|(index, now)| {
        let before = old.options.iter().find(|before| before.name == now.name)?;
        let state = if now.value { "on" } else { "off" };
        let touches = || touching(new, |uses| uses.options.contains(&index));
        (before.value != now.value)
            .then(|| format!("option {} is switched {state}: {}; {}", now.name, now.meaning, touches()))
    });
    changed.collect()
}

fn definitions(old: &Protocol, new: &Protocol) -> Vec<String> {
    let changed = new.definition_notes.iter().enumerate().filter_map(|(slot, now)| {
        let before = old.definition_notes.iter().find(|before| before.name == now.name);
        let same = before.is_some_and(|before| flat(&before.text) == flat(&now.text));
        let touches = || touching(new, |uses| uses.definitions.contains(&slot));
        (!same).then(|| format!("\"{}\" now means: {}; {}", now.meaning, flat(&now.text), touches()))
    });
    changed.collect()
}

fn findings(old: &Protocol, new: &Protocol) -> Vec<String> {
    let find = |protocol: &'_ Protocol, code: &str| protocol.findings.iter().position(|rule| rule.code == code);
    let mut changes = Vec::new();
    for now in &new.findings {
        match find(old, &now.code) {
            Some(before) => changes.extend(finding(&old.findings[before], now)),
            None => changes.push(format!("new finding {} ({})", now.code, now.severity)),
        }
    }
    let gone = old.findings.iter().filter(|before| find(new, &before.code).is_none());
    changes.extend(gone.map(|before| format!("finding {} is gone", before.code)));
    changes
}

fn finding(before: &Rule, now: &Rule) -> Vec<String> {
    let code = &now.code;
    let mut changes = Vec::new();
    if before.severity != now.severity {
        changes.push(format!("{code} becomes {} (was {})", now.severity, before.severity));
    }
    if before.limit != now.limit {
        let shown = |limit: Option<Limit>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        changes.push(format!("{code}: the limit becomes {} (was {})", shown(now.limit), shown(before.limit)));
    }
    let conditions = |rule: &Rule| rule.written.iter().map(|text| flat(text)).collect::<Vec<_>>();
    if conditions(before) != conditions(now) {
        changes.push(format!("{code} now fires when {}", conditions(now).join(" or ")));
    }
    let raised = |rule: &Rule| {
        let raised = rule.raised.as_ref();
        raised.map(|raised| format!("to {} when {}", raised.to, flat(&raised.written)))
    };
    if raised(before) != raised(now) {
        changes.push(match raised(now) {
            Some(rise) => format!("{code} is now raised {rise}"),
            None => format!("{code} is no longer raised"),
        });
    }
    let qualifiers = |rule: &Rule| {
        let named = |qualifier: &Qualifier| format!("{} when {}", qualifier.name, flat(&qualifier.written));
        rule.qualifiers.iter().map(named).collect::<Vec<_>>().join(", ")
    };
    if qualifiers(before) != qualifiers(now) {
        changes.push(format!("{code} is now marked: {}", qualifiers(now)));
    }
    if before.elective != now.elective {
        let word = if now.elective { "now waits" } else { "no longer waits" };
        changes.push(format!("{code} {word} for emergencies"));
    }
    if flat(&before.action) != flat(&now.action) {
        changes.push(format!("{code}: the action becomes \"{}\"", flat(&now.action)));
    }
    changes
}

fn schedule(old: &Protocol, new: &Protocol) -> Vec<String> {
    let rows = |protocol: &Protocol| {
        let row = |row: &VisitRule| (row.kind, flat(&row.written), row.window);
        protocol.next_visit.iter().map(row).collect::<Vec<_>>()
    };
    let before = rows(old);
    if rows(new) == before {
        return Vec::new();
    }
    let other = rows(new).into_iter().filter(|row| !before.contains(row));
    let told = other.map(|(kind, when, window)| format!("next visit {kind} when {when}: {window}"));
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        return vec!["the rows of the schedule change their order or number".to_owned()];
    }
    told
}

/// A text with its white space evened out.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
