//! A changed protocol over past records: who would get which finding, and how many pages a day.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;

use crate::assessment::{Assessment, Finding, Status};
use crate::protocol::Protocol;
use crate::record::{Record, Side};
use crate::{EvaluateError, evaluate};

/// A finding of one patient, as code, side and severity.
type Shown = (String, Option<Side>, crate::assessment::Severity);

/// What changes for one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Findings at the latest visit that only the new protocol has.
    newly: BTreeSet<Shown>,
    /// Findings at the latest visit that only the old protocol has.
    no_longer: BTreeSet<Shown>,
    pages: Pages,
}

/// How often each protocol would have paged, and on which days visits were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pages {
    old: usize,
    new: usize,
    days: BTreeSet<NaiveDate>,
}

/// The differences of many records.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    records: usize,
    changed: Vec<(String, Difference)>,
    pages: Pages,
}

/// Compares two protocols on one record: its latest visit for the findings, and every visit as
/// the latest for the pages. The work grows with the square of the visits.
pub fn compare(old: &Protocol, new: &Protocol, record: &Record) -> Result<Difference, EvaluateError> {
    let before = shown(&evaluate(old, record, None)?);
    let after = shown(&evaluate(new, record, None)?);
    let mut pages = Pages::default();
    for submission in &record.submissions {
        let visit = Some(&submission.id);
        if let (Ok(was), Ok(is)) = (evaluate(old, record, visit), evaluate(new, record, visit)) {
            pages.old += paging(&was);
            pages.new += paging(&is);
            pages.days.insert(record.episode.local_day(submission.assessed_at));
        }
    }
    Ok(Difference {
        newly: after.difference(&before).cloned().collect(),
        no_longer: before.difference(&after).cloned().collect(),
        pages,
    })
}

fn shown(assessment: &Assessment) -> BTreeSet<Shown> {
    let shown = |finding: &Finding| (finding.code.clone(), finding.side, finding.severity);
    assessment.findings.iter().map(shown).collect()
}

/// Findings that page when this visit comes in.
fn paging(assessment: &Assessment) -> usize {
    let pages =
        |finding: &&Finding| finding.severity.is_grave() && matches!(finding.status, Status::New | Status::Worse);
    assessment.findings.iter().filter(pages).count()
}

impl Summary {
    /// Takes in what changes for one record, under a name for it.
    pub fn add(&mut self, name: &str, difference: Difference) {
        self.records += 1;
        self.pages.old += difference.pages.old;
        self.pages.new += difference.pages.new;
        self.pages.days.extend(&difference.pages.days);
        if !difference.newly.is_empty() || !difference.no_longer.is_empty() {
            self.changed.push((name.to_owned(), difference));
        }
    }
}

/// The differences in figures: how many records, by finding, and the pages a day.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a>(&'a Summary);

impl Summary {
    /// The differences without the single records: short, whatever the number of records.
    pub fn figures(&self) -> Figures<'_> {
        Figures(self)
    }

    fn headline(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, changed) = (self.records, self.changed.len());
        writeln!(out, "{records} records, {changed} with other findings at their latest visit")
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.headline(out)?;
        let mut counts: BTreeMap<(&str, &Shown), usize> = BTreeMap::new();
        for (_, difference) in &self.0.changed {
            for (word, findings) in difference.by_word() {
                for finding in findings {
                    *counts.entry((word, finding)).or_default() += 1;
                }
            }
        }
        for ((word, finding), count) in counts {
            writeln!(out, "  {count} {word} {}", told(finding))?;
        }
        write!(out, "{}", self.0.pages)
    }
}

impl Difference {
    fn by_word(&self) -> [(&'static str, &BTreeSet<Shown>); 2] {
        [("newly", &self.newly), ("no longer", &self.no_longer)]
    }
}

fn told((code, side, severity): &Shown) -> String {
    let side = side.map_or(String::new(), |side| format!(", {side}"));
    format!("{code}{side} ({severity})")
}

impl Pages {
    /// Days from the first to the last visit.
    fn span(&self) -> i64 {
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) => (*last - *first).num_days() + 1,
            _ => 1,
        }
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.span();
        let a_day = |pages: usize| {
            let hundredths = i64::try_from(pages).unwrap_or(i64::MAX).saturating_mul(100) / days;
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        };
        let (old, new) = (self.old, self.new);
        writeln!(out, "Pages over {days} days: {old} before ({} a day), {new} after ({} a day)", a_day(old), a_day(new))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(out)?;
        for (name, difference) in &self.changed {
            writeln!(out, "\n{name}")?;
            for (word, findings) in difference.by_word() {
                for finding in findings {
                    writeln!(out, "  {word} {}", told(finding))?;
                }
            }
        }
        write!(out, "\n{}", self.pages)
    }
}
