//! Pages the catch-all from memory while alerting's own database keeps no alert of the trouble: at once, then every five
//! minutes until it heals. Nobody can accept it, for nothing would keep that either.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;
use lasegue_platform::clock::SharedClock;
use lasegue_platform::store::Standing;
use tokio_util::sync::CancellationToken;

use crate::channel::{Channels, attempt};
use crate::ids::{ContactName, PageId};
use crate::on_call::{Contact, OnCall};
use crate::page::{Alarmed, Page};
use crate::service::Alerting;

/// How often the same is told again.
const EVERY: Duration = Duration::from_mins(5);
/// How long a contact that could not be reached is left alone.
const AGAIN: Duration = Duration::from_secs(15);

/// Raises the alarm.
#[derive(Debug)]
pub struct Alarm {
    alerting: Arc<Alerting>,
    channels: Channels,
}

/// What it is raised about, and since when that is so.
type Trouble = (Alarmed, DateTime<Utc>);

/// What of it alerting cannot tell by an alert.
fn trouble(standing: &Standing) -> Option<Trouble> {
    let stores_nothing = standing.nothing_stored.map(|since| (Alarmed::NothingStored, since));
    stores_nothing.or(standing.damage_untold.map(|since| (Alarmed::Damaged, since)))
}

impl Alarm {
    /// An alarm that sends over these channels.
    pub const fn new(alerting: Arc<Alerting>, channels: Channels) -> Self {
        Self { alerting, channels }
    }

    /// Waits for trouble and pages as long as it lasts, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut standing = self.alerting.store().standing();
        let mut about = None;
        loop {
            let changed = tokio::select! {
                () = stop.cancelled() => return,
                changed = standing.wait_for(|standing| trouble(standing) != about) => changed.map(|new| trouble(&new)),
                () = self.page_about(about) => continue,
            };
            about = changed.ok().flatten();
        }
    }

    async fn page_about(&self, about: Option<Trouble>) {
        let Some((alarmed, since)) = about else { return pending().await };
        for number in 0.. {
            let word = alarmed.word();
            tracing::error!(%since, trouble = word, "alerting can keep no alert of it: the operator is paged from memory");
            let paging = self.contacts().into_iter().map(|(name, contact)| {
                let id = PageId::of_alarm(since, number, name);
                self.page(
                    contact,
                    Page::alarm(id, alarmed, number > 0, self.on_call().link_base(), self.alerting.now()),
                )
            });
            tokio::select! {
                () = join_all(paging).then(|_| pending()) => {}
                () = self.clock().sleep(EVERY) => {}
            }
        }
    }

    /// Tries each channel in turn, and all of them again, until one has taken it.
    async fn page(&self, contact: &Contact, mut page: Page) {
        loop {
            for address in &contact.channels {
                page.sent_at = self.alerting.now();
                match attempt(&*self.channels.of(address), &page).await {
                    Ok(()) => return,
                    Err(failure) => page.possible_duplicate |= failure.may_have_arrived(),
                }
                page.attempt = page.attempt.saturating_add(1);
            }
            self.clock().sleep(AGAIN).await;
        }
    }

    /// The catch-all; everybody, when nobody stands behind it now.
    fn contacts(&self) -> Vec<(&ContactName, &Contact)> {
        let reached = self.on_call().reach(self.on_call().catch_all(), self.alerting.now()).contacts;
        let wanted = |name: &ContactName| reached.is_empty() || reached.contains(name);
        self.on_call().contacts().filter(|(name, _)| wanted(name)).collect()
    }

    fn on_call(&self) -> &OnCall {
        self.alerting.on_call()
    }

    fn clock(&self) -> &SharedClock {
        self.alerting.store().clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_raised_about_what_no_alert_can_tell_and_most_of_all_when_nothing_is_stored() {
        let since = |seconds| DateTime::from_timestamp(seconds, 0);
        let standing = |nothing_stored, damage_untold| Standing { nothing_stored, damage_untold };
        assert_eq!(trouble(&standing(None, None)), None);
        let damaged = trouble(&standing(None, since(1)));
        assert_eq!(damaged, since(1).map(|since| (Alarmed::Damaged, since)));
        let both = trouble(&standing(since(2), since(1)));
        assert_eq!(both, since(2).map(|since| (Alarmed::NothingStored, since)));
    }
}
