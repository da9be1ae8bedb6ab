//! The alerts of one episode, kept together because they are decided together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::alert::Alert;
use crate::finding::Key;
use crate::ids::{AlertId, CaseId, RefusalId, Revision};

/// All alerts of one episode, or of the service itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Whose.
    pub id: CaseId,
    /// The newest revision that assessment told of.
    pub revision: Option<Revision>,
    /// The number of the newest news of any alert. It counts on where news comes without a revision, as with a refused
    /// submission.
    pub news: Revision,
    /// Every alert that is kept, by id.
    pub alerts: BTreeMap<AlertId, Alert>,
    /// Refusals that were corrected before they were told of, so that their order does not matter.
    pub corrected_early: BTreeSet<RefusalId>,
}

impl Case {
    /// A case without alerts.
    pub const fn new(id: CaseId) -> Self {
        Self { id, revision: None, news: Revision(0), alerts: BTreeMap::new(), corrected_early: BTreeSet::new() }
    }

    /// The newest revision, or 0 before the first.
    pub fn revision(&self) -> Revision {
        self.revision.unwrap_or_default()
    }

    /// What a person who looks at the case now has seen.
    pub fn shown(&self) -> Revision {
        self.news.max(self.revision())
    }

    /// The active alert of this key; there is never more than one.
    pub fn active(&self, key: &Key) -> Option<&Alert> {
        self.alerts.values().find(|alert| alert.key == *key && alert.is_active())
    }

    /// The alert of this key that was closed last.
    pub fn last_closed(&self, key: &Key) -> Option<&Alert> {
        let of_key = self.alerts.values().filter(|alert| alert.key == *key);
        of_key.filter(|alert| alert.closed_at().is_some()).max_by_key(|alert| alert.closed_at())
    }

    /// Takes the active alert of this key out, to be put back changed.
    pub fn take_active(&mut self, key: &Key) -> Option<Alert> {
        let id = self.active(key)?.id;
        self.alerts.remove(&id)
    }

    /// Puts an alert in.
    pub fn put(&mut self, alert: Alert) {
        self.alerts.insert(alert.id, alert);
    }

    /// The ids of all active alerts.
    pub fn active_ids(&self) -> Vec<AlertId> {
        self.alerts.values().filter(|alert| alert.is_active()).map(|alert| alert.id).collect()
    }

    /// The id that the next alert of this key gets. Alerts of long ago may have been removed: those that are left keep
    /// theirs.
    pub fn next_id(&self, key: &Key) -> AlertId {
        let mut number = self.alerts.values().filter(|alert| alert.key == *key).count();
        loop {
            let id = AlertId::of(self.id, &key.to_string(), number);
            if !self.alerts.contains_key(&id) {
                return id;
            }
            number += 1;
        }
    }

    /// When something has to be decided again, if nothing happens before.
    pub fn wake(&self) -> Option<DateTime<Utc>> {
        self.alerts.values().filter_map(Alert::next_instant).min()
    }
}
