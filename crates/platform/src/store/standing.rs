//! Watches how it stands with a service's database: whether it stores anything, and whether damage was met in it. Shows it,
//! and tells an operator once of each outage and of the damage.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::Service;
use tokio_util::sync::CancellationToken;

use super::Store;
use super::probe::Probe;
use super::trouble::{Trouble, tell};
use crate::bus::Bus;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// Failures after which it is no hiccup: half a minute of them.
const FAILURES: u32 = 6;

/// How it stands with a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when it has stored nothing, once that has lasted for half a minute.
    pub nothing_stored: Option<DateTime<Utc>>,
    /// Damage was met in it, since when, and alerting could not take that in.
    pub damage_untold: Option<DateTime<Utc>>,
}

/// Looks how it stands with `probe`'s store, and tells an operator over `bus`, until `stop`.
pub(crate) async fn watch_standing(probe: Arc<Probe>, bus: Arc<dyn Bus>, stop: CancellationToken) {
    let clock = probe.store().clock().clone();
    let mut watching = Watching { probe, bus, failures: 0, outage: None, damage: None };
    loop {
        let round = async {
            clock.sleep(EVERY).await;
            watching.round().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = round => {}
        }
    }
}

struct Watching {
    probe: Arc<Probe>,
    bus: Arc<dyn Bus>,
    /// Until it has stored everything again for a while.
    failures: u32,
    /// From the first of them on.
    outage: Option<Met>,
    damage: Option<Met>,
}

/// Something to tell of.
#[derive(Clone, Copy)]
struct Met {
    since: DateTime<Utc>,
    /// Whether the operator was told; nothing when it was not tried yet.
    told: Option<bool>,
}

impl Watching {
    async fn round(&mut self) {
        self.look().await;
        self.show();
        if self.failures >= FAILURES {
            self.outage = self.told(Trouble::NothingStored, self.outage).await;
        }
        self.damage = self.told(Trouble::Damaged, self.damage).await;
        self.show();
    }

    async fn look(&mut self) {
        let now = self.store().clock().now();
        let met = || Met { since: now, told: None };
        if self.probe.ask().await.is_err() {
            self.failures = self.failures.saturating_add(1);
            self.outage.get_or_insert_with(met);
        } else if !self.store().failures_may_go_on(now) {
            (self.failures, self.outage) = (0, None);
        }
        if self.store().is_whole().is_err() {
            self.damage.get_or_insert_with(met);
        }
    }

    fn show(&self) {
        let outage = self.outage.filter(|_| self.failures >= FAILURES);
        let untold = self.damage.filter(|damage| damage.told == Some(false));
        self.store().show(Standing {
            nothing_stored: outage.map(|outage| outage.since),
            damage_untold: untold.map(|damage| damage.since),
        });
    }

    /// Tells of what was met, unless that is known. Of its own outage alerting raises the alarm by itself.
    async fn told(&self, trouble: Trouble, met: Option<Met>) -> Option<Met> {
        let Met { since, told } = met?;
        let own = self.store().service() == Service::Alerting && trouble == Trouble::NothingStored;
        let known = told == Some(true) || own || tell(self.store(), &*self.bus, trouble, since).await;
        Some(Met { since, told: Some(known) })
    }

    fn store(&self) -> &Store {
        self.probe.store()
    }
}
