//! One assessment as a page of plain text, for a terminal.

use std::fmt::Write as _;

use crate::assessment::{Assessment, Finding, NextVisit, Severity, Status};
use crate::facts::millimetres;
use crate::protocol::Protocol;
use crate::record::{Record, Replacements, Submission};
use crate::word::Word;

const WIDTH: usize = 96;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// No more visits than this are drawn; the latest ones are.
const MAX_DRAWN: usize = 40;

/// Writes the report of an assessment of `record`.
pub fn text(protocol: &Protocol, record: &Record, assessment: &Assessment) -> String {
    let mut page = String::new();
    heading(&mut page, assessment);
    trends(&mut page, protocol, record, assessment);
    for severity in Severity::ALL {
        let of = |finding: &&Finding| finding.severity == *severity;
        let findings: Vec<_> = assessment.findings.iter().filter(of).collect();
        if !findings.is_empty() {
            let _ = writeln!(page, "\n{}", severity.as_str().to_uppercase());
        }
        for finding in findings {
            entry(&mut page, finding);
        }
    }
    next(&mut page, protocol, &assessment.next_visit);
    if !assessment.unanswered.is_empty() {
        page.push_str("\nNOT ANSWERED\n");
        paragraph(&mut page, "  ", &assessment.unanswered.join(", "));
    }
    page
}

fn heading(page: &mut String, assessment: &Assessment) {
    let protocol = &assessment.protocol;
    let _ = writeln!(page, "Visit {} of {}", assessment.visit, assessment.assessed_at.to_rfc3339());
    let hash = protocol.sha256.get(..12).unwrap_or_default();
    let _ = writeln!(page, "Protocol {} {} ({hash})", protocol.id, protocol.version);
}

fn trends(page: &mut String, protocol: &Protocol, record: &Record, assessment: &Assessment) {
    let visits = visits(record, assessment);
    let leg = |visit: &&Submission| {
        let mm = millimetres(visit.report.pain.leg?);
        usize::try_from(mm).ok()
    };
    let odi = |visit: &&Submission| {
        let percent = crate::facts::disability(&visit.report, protocol.least_disability_answers)?;
        usize::try_from(percent.floor()).ok()
    };
    page.push('\n');
    trend(page, "Leg pain (mm)", &visits.iter().map(leg).collect::<Vec<_>>());
    trend(page, "Disability (%)", &visits.iter().map(odi).collect::<Vec<_>>());
}

fn visits<'r>(record: &'r Record, assessment: &Assessment) -> Vec<&'r Submission> {
    let replacements = Replacements::of(record);
    let up_to = |visit: &&Submission| visit.assessed_at <= assessment.assessed_at;
    let counting = |visit: &&Submission| replacements.counts(&visit.id);
    let visits = record.submissions.iter().filter(up_to).filter(counting);
    let mut visits: Vec<_> = visits.collect();
    visits.sort_by_key(|visit| (visit.assessed_at, &visit.id));
    visits.split_off(visits.len().saturating_sub(MAX_DRAWN))
}

/// A line such as `Leg pain (mm)  ▅▆█  60 → 75`; a gap is a visit without a value.
fn trend(page: &mut String, name: &str, values: &[Option<usize>]) {
    let bar = |value: &Option<usize>| value.map_or('·', |value| BARS[(value * BARS.len() / 101).min(BARS.len() - 1)]);
    let bars: String = values.iter().map(bar).collect();
    let mut known = values.iter().copied().flatten();
    let range = match (known.next(), known.next_back()) {
        (Some(first), Some(last)) => format!("{first} → {last}"),
        (Some(only), None) => only.to_string(),
        (None, _) => "never known".to_owned(),
    };
    let _ = writeln!(page, "{name:<15} {bars}  {range}");
}

fn entry(page: &mut String, finding: &Finding) {
    let side = finding.side.map_or(String::new(), |side| format!(", {side}"));
    let _ = write!(page, "\n  {}{side}", finding.code);
    if finding.status != Status::New || finding.severity.is_grave() {
        let _ = write!(page, " [{}]", finding.status);
    }
    for qualifier in &finding.qualifiers {
        let _ = write!(page, " ({qualifier})");
    }
    page.push('\n');
    paragraph(page, "    ", &finding.text);
    paragraph(page, "    → ", &finding.action);
    if let Some(by) = finding.respond_by {
        let _ = writeln!(page, "    Act by {}", by.format("%Y-%m-%d %H:%M UTC"));
    }
    if let Some(emergency) = &finding.suppressed_by {
        let _ = writeln!(page, "    Waits for {emergency}");
    }
    let evidence: Vec<_> = finding.evidence.iter().map(source).collect();
    if !evidence.is_empty() {
        paragraph(page, "    Read: ", &evidence.join("; "));
    }
    let citations: Vec<_> =
        finding.citations.iter().map(|citation| format!("{} ({})", citation.reference, citation.resolution)).collect();
    paragraph(page, "    Rests on: ", &citations.join(", "));
}

fn source(evidence: &crate::assessment::Evidence) -> String {
    let path = &evidence.path;
    match &evidence.submission {
        Some(submission) => format!("{path} = {} at {submission}", evidence.value),
        None => format!("{path} = {}", evidence.value),
    }
}

fn next(page: &mut String, protocol: &Protocol, visit: &NextVisit) {
    let window = match (visit.earliest, visit.latest) {
        (Some(earliest), Some(latest)) => format!(", {earliest} to {latest}"),
        _ => String::new(),
    };
    let _ = writeln!(page, "\nNEXT VISIT: {}{window}", visit.kind);
    paragraph(page, "  ", protocol.advice(visit.kind).unwrap_or_default());
}

/// Breaks a text into lines; the first has the lead, the others its width in spaces.
fn paragraph(page: &mut String, lead: &str, text: &str) {
    let indent = lead.chars().count();
    let mut line = lead.to_owned();
    let mut width = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > indent && width + 1 + length > WIDTH {
            let _ = writeln!(page, "{line}");
            line = " ".repeat(indent);
            width = indent;
        }
        if width > indent {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += length;
    }
    let _ = writeln!(page, "{}", line.trim_end());
}
