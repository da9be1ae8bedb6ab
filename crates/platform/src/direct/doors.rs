//! Where events that are handed over come in: a door for each consumer of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::topology::Consumer;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

use super::HandOverError;
use crate::bus::{Answer, BusError, Delivery, Joined, Message};
use crate::clock::SharedClock;

/// Events that may wait behind one door; whoever brings more is asked to come again.
const WAITING: usize = 256;
/// How long an event may take from the door to the commit of what follows.
const WITHIN: Duration = Duration::from_secs(8);

/// The doors of one process.
#[derive(Debug)]
pub(super) struct Doors {
    doors: Mutex<HashMap<&'static str, Door>>,
    clock: SharedClock,
}

struct Door {
    way_in: mpsc::Sender<Handed>,
    inside: Arc<tokio::sync::Mutex<mpsc::Receiver<Handed>>>,
    /// The queue was joined while the consumer took only what was handed over: it goes on with that.
    joined: Option<Joined>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("joined", &self.joined.is_some()).finish_non_exhaustive()
    }
}

/// A consumer's own side of its door, held as long as it takes events.
pub(super) struct Inside {
    arriving: OwnedMutexGuard<mpsc::Receiver<Handed>>,
    doors: Arc<Doors>,
    consumer: &'static Consumer,
}

/// An event that was handed over, and who waits for it.
pub(super) struct Handed {
    message: Message,
    done: oneshot::Sender<()>,
}

impl Doors {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { doors: Mutex::default(), clock }
    }

    /// Opens the door of `consumer`, once whoever took events there before is gone.
    pub(super) async fn open(self: &Arc<Self>, consumer: &'static Consumer) -> Inside {
        let inside = self.lock().entry(consumer.name).or_insert_with(Door::new).inside.clone();
        Inside { arriving: inside.lock_owned().await, doors: self.clone(), consumer }
    }

    /// Whether `consumer` is one of this process.
    pub(super) fn has(&self, consumer: &Consumer) -> bool {
        self.lock().contains_key(consumer.name)
    }

    /// Resolves once `consumer` has committed what follows from the event.
    pub(super) async fn enter(&self, consumer: &Consumer, message: Message) -> Result<(), HandOverError> {
        let not_handled = |reason: &str| HandOverError::NotHandled(reason.to_owned());
        let way_in = self.lock().get(consumer.name).map(|door| door.way_in.clone());
        let way_in = way_in.ok_or_else(|| not_handled("this process does not run its consumer yet"))?;
        let (done, outcome) = oneshot::channel();
        way_in.try_send(Handed { message, done }).map_err(|_| not_handled("too many wait before it"))?;
        tokio::select! {
            done = outcome => done.map_err(|_| not_handled("its handler failed")),
            () = self.clock.sleep(WITHIN) => Err(not_handled("it takes too long")),
        }
    }

    pub(super) fn take_joined(&self, consumer: &Consumer) -> Option<Joined> {
        self.lock().get_mut(consumer.name)?.joined.take()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    fn new() -> Self {
        let (way_in, inside) = mpsc::channel(WAITING);
        Self { way_in, inside: Arc::new(tokio::sync::Mutex::new(inside)), joined: None }
    }
}

impl Inside {
    /// The next event that is handed over. The door keeps both ends, so there is always one to wait for.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        let Handed { message, done } = self.arriving.recv().await?;
        Some(Delivery { message, attempt: 1, place: None, answer: Box::new(Waiting(done)) })
    }

    /// Keeps what was joined for the consumer's next turn.
    pub(super) fn keep(&self, joined: Joined) {
        if let Some(door) = self.doors.lock().get_mut(self.consumer.name) {
            door.joined = Some(joined);
        }
    }
}

/// Whoever handed the event over waits for its answer. Dropped without one, it was not handled.
struct Waiting(oneshot::Sender<()>);

#[async_trait]
impl Answer for Waiting {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        // Who stopped waiting hands it over again; the inbox drops that.
        let _ = self.0.send(());
        Ok(())
    }

    async fn refuse(self: Box<Self>) -> Result<(), BusError> {
        Ok(())
    }

    async fn retry(self: Box<Self>, _delay: Duration) -> Result<(), BusError> {
        Ok(())
    }
}
