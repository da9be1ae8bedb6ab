//! Which submissions count: those that nobody voided and that no other one replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Decision, Record, Submission, SubmissionId};

/// Who replaces whom in one record. Submissions that replace each other in a circle replace
/// nobody, so that none of them can be lost.
pub(crate) struct Replacements<'r> {
    /// Where each submission stands in a walk over all replacements: whatever replaces one, directly or further on, lies
    /// within its span.
    spans: BTreeMap<&'r SubmissionId, Range<usize>>,
    voided: BTreeSet<&'r SubmissionId>,
}

impl<'r> Replacements<'r> {
    pub(crate) fn of(record: &'r Record) -> Self {
        let voided = record.adjudications.iter().filter_map(|entry| match &entry.decision {
            Decision::Void { submission } => Some(submission),
            Decision::Disposition { .. } | Decision::Longstanding { .. } => None,
        });
        Self { spans: spans(&straight(&record.submissions)), voided: voided.collect() }
    }

    /// Whether a submission counts today.
    pub(crate) fn counts(&self, id: &SubmissionId) -> bool {
        let replaced = self.spans.get(id).is_some_and(|span| span.len() > 1);
        !replaced && !self.voided.contains(id)
    }

    /// Whether `new` replaces `old`, directly or over others.
    pub(crate) fn replaces(&self, new: &SubmissionId, old: &SubmissionId) -> bool {
        let (Some(new), Some(old)) = (self.spans.get(new), self.spans.get(old)) else { return false };
        old.start < new.start && new.end <= old.end
    }
}

/// The spans of all that replace or are replaced, in one walk from those that replace nothing.
fn spans<'r>(pairs: &[(&'r SubmissionId, &'r SubmissionId)]) -> BTreeMap<&'r SubmissionId, Range<usize>> {
    let mut replaced_by: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (new, old) in pairs {
        replaced_by.entry(*old).or_default().push(*new);
    }
    let replacing: BTreeSet<_> = pairs.iter().map(|(new, _)| *new).collect();
    let first = replaced_by.keys().copied().filter(|old| !replacing.contains(old));
    let mut open: Vec<Step> = first.map(Step::Enter).collect();
    let (mut spans, mut place) = (BTreeMap::new(), 0);
    while let Some(step) = open.pop() {
        match step {
            Step::Enter(id) => {
                spans.insert(id, place..place);
                place += 1;
                open.push(Step::Leave(id));
                open.extend(replaced_by.get(id).into_iter().flatten().copied().map(Step::Enter));
            }
            Step::Leave(id) => {
                spans.entry(id).and_modify(|span: &mut Range<usize>| span.end = place);
            }
        }
    }
    spans
}

enum Step<'r> {
    Enter(&'r SubmissionId),
    Leave(&'r SubmissionId),
}

/// Pairs of a submission and the one it replaces, without those that run in a circle.
fn straight(submissions: &[Submission]) -> Vec<(&SubmissionId, &SubmissionId)> {
    let replaces = links(submissions);
    let circles = in_circles(&replaces);
    let pairs = replaces.iter().filter_map(|(new, old)| Some((*new, (*old)?)));
    pairs.filter(|(new, _)| !circles.contains(new)).collect()
}

/// What each submission replaces.
pub(super) type Links<'r> = BTreeMap<&'r SubmissionId, Option<&'r SubmissionId>>;

pub(super) fn links(submissions: &[Submission]) -> Links<'_> {
    submissions.iter().map(|submission| (&submission.id, submission.supersedes.as_ref())).collect()
}

/// The submissions that replace themselves over any number of others. Each link is followed once, however long a chain is.
pub(super) fn in_circles<'r>(replaces: &Links<'r>) -> BTreeSet<&'r SubmissionId> {
    let (mut seen, mut circles) = (BTreeSet::new(), BTreeSet::new());
    for start in replaces.keys().copied() {
        let next = |id: &&'r SubmissionId| replaces.get(*id).copied().flatten();
        let mut met = None;
        let mut chain = BTreeSet::new();
        for id in std::iter::successors(Some(start), next) {
            if !seen.insert(id) {
                met = Some(id).filter(|id| chain.contains(id));
                break;
            }
            chain.insert(id);
        }
        if let Some(met) = met {
            let around = std::iter::successors(next(&met), next).take_while(|id| *id != met);
            circles.extend(around.chain([met]));
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::check_record;

    /// A record whose submissions replace each other as the pairs of numbers say.
    fn record(count: usize, supersedes: impl Fn(usize) -> Option<usize>) -> Record {
        let visit = |n: usize| {
            json!({ "id": format!("v{n}"), "assessed_at": "2026-01-10T09:00:00Z", "author": "patient",
            "supersedes": supersedes(n).map(|old| format!("v{old}")) })
        };
        let submissions: Vec<Value> = (0..count).map(visit).collect();
        let value = json!({ "format": "lasegue.record/1", "patient": {},
            "episode": { "onset_date": "2026-01-01", "treatment_start": "2026-01-02" }, "submissions": submissions });
        Record::parse_kept(&value).expect("it is sound")
    }

    fn id(n: usize) -> SubmissionId {
        SubmissionId(format!("v{n}"))
    }

    fn counting(record: &Record) -> Vec<&str> {
        let replacements = Replacements::of(record);
        record.submissions.iter().map(|s| &s.id).filter(|id| replacements.counts(id)).map(|id| id.0.as_str()).collect()
    }

    #[test]
    fn only_the_end_of_a_chain_of_any_length_counts_and_it_is_followed_once() {
        let chain = record(20_000, |n| n.checked_sub(1));
        assert!(check_record(&chain).is_empty());
        assert_eq!(counting(&chain), ["v19999"]);
        let replacements = Replacements::of(&chain);
        assert!(replacements.replaces(&id(19_999), &id(0)) && !replacements.replaces(&id(0), &id(19_999)));
    }

    #[test]
    fn a_circle_replaces_nobody_and_what_replaces_one_of_it_does() {
        let circle = record(4, |n| [Some(2), Some(0), Some(1), Some(0)][n]);
        assert_eq!(counting(&circle), ["v1", "v2", "v3"]);
        let places: Vec<_> = check_record(&circle).into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(places, ["/submissions/0/supersedes", "/submissions/1/supersedes", "/submissions/2/supersedes"]);
        assert_eq!(counting(&record(1, |_| Some(0))), ["v0"]);
    }

    #[test]
    fn two_that_replace_one_count_both_and_neither_replaces_the_other() {
        let both = record(3, |n| (n > 0).then_some(0));
        assert_eq!(counting(&both), ["v1", "v2"]);
        let replacements = Replacements::of(&both);
        assert!(replacements.replaces(&id(1), &id(0)) && !replacements.replaces(&id(1), &id(2)));
    }
}
