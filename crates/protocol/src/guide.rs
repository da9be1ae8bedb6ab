//! A protocol as a page for clinicians, in Markdown: every finding by section, what it rests on,
//! and every number that decides.

use std::fmt::Write as _;

use crate::assessment::Citation;
use crate::evaluate::in_general;
use crate::facts;
use crate::protocol::{Protocol, Rule, in_words};

/// Writes the page.
pub fn markdown(protocol: &Protocol) -> String {
    let mut page = String::new();
    let reference = &protocol.reference;
    let _ = writeln!(page, "# {}\n", protocol.title);
    let _ = writeln!(
        page,
        "Protocol `{}`, version {}. This page is generated from the protocol file; change that, \
         not this.\n",
        reference.id, reference.version
    );
    page.push_str(INTRODUCTION);
    findings(&mut page, protocol);
    schedule(&mut page, protocol);
    thresholds(&mut page, protocol);
    options(&mut page, protocol);
    definitions(&mut page, protocol);
    known_facts(&mut page);
    sources(&mut page, protocol);
    page
}

const INTRODUCTION: &str = "\
A condition is yes, no or unknown. A finding appears only on yes; what is unknown raises a question \
of its own, so that missing data never reads as normal. Emergencies and urgent findings stay until \
a named person signs them off. An odds ratio describes a group of acute patients: it is never \
multiplied with another and never this patient's probability.

";

fn findings(page: &mut String, protocol: &Protocol) {
    let mut section = "";
    for rule in &protocol.findings {
        if rule.section != section {
            section = &rule.section;
            let _ = writeln!(page, "## {section}\n");
        }
        finding(page, protocol, rule);
    }
}

fn finding(page: &mut String, protocol: &Protocol, rule: &Rule) {
    let limit = rule.limit.map_or(String::new(), |limit| format!(", act: {limit}"));
    let _ = writeln!(page, "### {}\n\n**{}**{limit}. {}", rule.code, rule.severity, rule.text.written);
    if let Some(text) = &rule.text_whole {
        let _ = writeln!(page, "Or: {}", text.written);
    }
    let _ = writeln!(page, "\n*{}*\n", rule.action);
    for condition in &rule.written {
        let _ = writeln!(page, "```text\n{condition}\n```\n");
    }
    if let Some(raised) = &rule.raised {
        let limit = raised.limit.map_or(String::new(), |limit| format!(" ({limit})"));
        let _ = writeln!(page, "- {}{limit} when `{}`", raised.to, raised.written);
    }
    for qualifier in &rule.qualifiers {
        let _ = writeln!(page, "- marked `{}` when `{}`", qualifier.name, qualifier.written);
    }
    for lesser in rule.stands_for.iter().map(|lesser| &protocol.findings[*lesser]) {
        let _ = writeln!(page, "- stands for `{}` of the same side", lesser.code);
    }
    if rule.elective {
        page.push_str("- elective: waits while an emergency is active\n");
    }
    if let Some(conflict) = &rule.conflict {
        let _ = writeln!(page, "- evidence in conflict: {conflict}");
    }
    for odds in &rule.odds {
        let _ = writeln!(page, "- {}", in_general(odds));
    }
    let _ = writeln!(page, "- rests on: {}\n", rests_on(protocol, rule));
}

fn rests_on(protocol: &Protocol, rule: &Rule) -> String {
    let cited = |citation: &Citation| format!("{} ({})", citation.reference, citation.resolution);
    let local = rule.local.iter().map(|local| format!("{}: {local}", protocol.local_default));
    rule.citations.iter().map(cited).chain(local).collect::<Vec<_>>().join(", ")
}

fn schedule(page: &mut String, protocol: &Protocol) {
    page.push_str("## Next visit\n\nThe first row that applies counts.\n\n");
    page.push_str("| kind | when | window | advice | rests on |\n|---|---|---|---|---|\n");
    for row in &protocol.next_visit {
        let when = row.written.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let (kind, window) = (row.kind, row.window);
        let cites = row.cites.join(", ");
        let _ = writeln!(page, "| {kind} | `{when}` | {window} | {} | {cites} |", row.advice);
    }
    page.push('\n');
}

fn thresholds(page: &mut String, protocol: &Protocol) {
    page.push_str("## Thresholds\n\n| name | value | safe from | to | meaning | rests on |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for threshold in &protocol.thresholds {
        let shown = |value| in_words(value, threshold.unit);
        let (least, most) = threshold.safe;
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} |",
            threshold.name,
            shown(threshold.value),
            shown(least),
            shown(most),
            threshold.meaning,
            threshold.cites.join(", "),
        );
    }
    page.push('\n');
}

fn options(page: &mut String, protocol: &Protocol) {
    page.push_str("## Options\n\n| name | value | meaning |\n|---|---|---|\n");
    for option in &protocol.options {
        let value = if option.value { "on" } else { "off" };
        let _ = writeln!(page, "| {} | {value} | {} |", option.name, option.meaning);
    }
    page.push('\n');
}

fn definitions(page: &mut String, protocol: &Protocol) {
    page.push_str("## Definitions\n\n");
    let mut notes: Vec<_> = protocol.definition_notes.iter().collect();
    notes.sort_by_key(|note| &note.name);
    for note in notes {
        let _ = writeln!(page, "**{}**: {}\n\n```text\n{}\n```\n", note.name, note.meaning, note.text);
    }
}

fn known_facts(page: &mut String) {
    page.push_str("## Facts\n\nWhat conditions may name.\n\n| fact | meaning |\n|---|---|\n");
    for (name, meaning) in facts::glossary() {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page.push('\n');
}

fn sources(page: &mut String, protocol: &Protocol) {
    page.push_str("## Sources\n\n| reference | work | traced | note |\n|---|---|---|---|\n");
    for source in &protocol.sources {
        let note = source.note.as_deref().unwrap_or_default();
        let _ = writeln!(page, "| {} | {} | {} | {note} |", source.key, source.title, source.resolution);
    }
}
