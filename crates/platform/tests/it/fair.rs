//! Groups take turns: whatever waits for one of them, another goes on.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_contracts::topology::ALERTING_VISITS;
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::consume::{Consuming, Handler, HandlerError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::failing::overdue;
use crate::support::{eventually, home};

/// The episode whose first event takes as long as the test wants.
const NOISY: Uuid = Uuid::from_u128(1);
/// Far more than the consumer has places.
const CROWD: u128 = 500;
/// Other episodes, more than the consumer has places.
const OTHERS: u128 = 40;

/// Notes what it handled; the noisy episode waits.
#[derive(Default)]
struct Slow {
    go_on: Notify,
    handled: Mutex<Vec<Uuid>>,
}

impl Slow {
    fn episodes(&self) -> Vec<Uuid> {
        self.handled.lock().expect("no test panics with it").clone()
    }
}

#[async_trait]
impl Handler for Slow {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let episode = event::episode_of_subject(&envelope.subject).expect("it has one");
        if episode == NOISY && !self.episodes().contains(&NOISY) {
            self.go_on.notified().await;
        }
        self.handled.lock().expect("no test panics with it").push(episode);
        Ok(())
    }
}

fn of(episode: Uuid, id: u128) -> Envelope {
    let subject = event::subject(Service::Scheduling, Lane::Live, VisitOverdue::NAME, episode);
    Envelope { subject, ..overdue(Uuid::from_u128(id)) }
}

#[tokio::test]
async fn a_crowd_that_waits_for_one_episode_holds_no_place_that_another_needs() {
    let (home, bus) = (home(Service::Alerting).await, EmbeddedBus::new(SystemClock::shared()));
    let (slow, stop) = (Arc::new(Slow::default()), CancellationToken::new());
    let (handler, over): (Arc<dyn Handler>, Arc<dyn Bus>) = (slow.clone(), Arc::new(bus.clone()));
    let consuming = Consuming { consumer: &ALERTING_VISITS, handler, store: home.store.clone(), bus: over };
    let running = tokio::spawn(consuming.run(stop.clone()));
    let send = |envelope: Envelope| {
        let bus = bus.clone();
        tokio::spawn(async move { bus.publish(&envelope).await });
    };
    (0..CROWD).for_each(|number| send(of(NOISY, 1_000 + number)));
    (0..OTHERS).for_each(|number| send(of(Uuid::from_u128(2 + number), 2_000 + number)));
    let others = || slow.episodes().len() as u128;
    eventually("every other episode had its turn", || async { others() == OTHERS }).await;
    assert!(!slow.episodes().contains(&NOISY), "it still waits");
    slow.go_on.notify_one();
    eventually("the crowd had its turn", || async { others() == OTHERS + CROWD }).await;
    stop.cancel();
    running.await.expect("it drains");
}
