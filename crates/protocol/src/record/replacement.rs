//! Which submissions count: those that nobody voided and that no other one replaces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decision, Record, Submission, SubmissionId};

/// Who replaces whom in one record. Submissions that replace each other in a circle replace
/// nobody, so that none of them can be lost.
pub(crate) struct Replacements<'r> {
    /// The submissions that directly replace one, by its id.
    replaced_by: BTreeMap<&'r SubmissionId, Vec<&'r SubmissionId>>,
    voided: BTreeSet<&'r SubmissionId>,
}

impl<'r> Replacements<'r> {
    pub(crate) fn of(record: &'r Record) -> Self {
        let mut replaced_by: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (new, old) in straight(&record.submissions) {
            replaced_by.entry(old).or_default().push(new);
        }
        let voided = record.adjudications.iter().filter_map(|entry| match &entry.decision {
            Decision::Void { submission } => Some(submission),
            Decision::Disposition { .. } | Decision::Longstanding { .. } => None,
        });
        Self { replaced_by, voided: voided.collect() }
    }

    /// Whether a submission counts today.
    pub(crate) fn counts(&self, id: &SubmissionId) -> bool {
        !self.replaced_by.contains_key(id) && !self.voided.contains(id)
    }

    /// Everything that replaces a submission, directly or further on.
    pub(crate) fn replacing(&self, id: &SubmissionId) -> BTreeSet<&'r SubmissionId> {
        let mut all = BTreeSet::new();
        let mut open: Vec<&SubmissionId> = vec![id];
        while let Some(next) = open.pop() {
            for new in self.replaced_by.get(next).into_iter().flatten().copied() {
                if all.insert(new) {
                    open.push(new);
                }
            }
        }
        all
    }
}

/// Pairs of a submission and the one it replaces, without those that run in a circle.
fn straight(submissions: &[Submission]) -> Vec<(&SubmissionId, &SubmissionId)> {
    let replaces = links(submissions);
    let pairs = replaces.iter().filter_map(|(new, old)| Some((*new, (*old)?)));
    pairs.filter(|(new, _)| !in_circle(new, &replaces)).collect()
}

/// What each submission replaces.
pub(super) fn links(submissions: &[Submission]) -> BTreeMap<&SubmissionId, Option<&SubmissionId>> {
    submissions.iter().map(|submission| (&submission.id, submission.supersedes.as_ref())).collect()
}

/// Whether a submission replaces itself over any number of others.
pub(super) fn in_circle(start: &SubmissionId, replaces: &BTreeMap<&SubmissionId, Option<&SubmissionId>>) -> bool {
    let next = |id: &&SubmissionId| replaces.get(*id).copied().flatten();
    std::iter::successors(next(&start), next).take(replaces.len()).any(|id| id == start)
}
