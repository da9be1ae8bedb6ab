//! Handling a message again that could not be handled, because an operator wants it: in its turn, like any other.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;

use super::HandlerError;
use super::work::Work;
use crate::bus::{Answer, BusError, Message};

/// Something that can handle a message once more.
#[async_trait]
pub(crate) trait Replay: Send + Sync {
    /// What came of it; none when the process ends.
    async fn replay(self: Arc<Self>, message: Message) -> Option<Result<(), HandlerError>>;
}

/// The consumers of one service that are at work in this process.
#[derive(Default)]
pub(crate) struct Replays(Mutex<HashMap<&'static str, Weak<dyn Replay>>>);

impl fmt::Debug for Replays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().keys()).finish()
    }
}

impl Replays {
    /// `consumer` is at work from now on.
    pub(super) fn begin(&self, consumer: &'static str, work: &Arc<Work>) {
        let work: Arc<dyn Replay> = work.clone();
        self.lock().insert(consumer, Arc::downgrade(&work));
    }

    /// The consumer of this name, as long as it is at work.
    pub(crate) fn of(&self, consumer: &str) -> Option<Arc<dyn Replay>> {
        self.lock().get(consumer)?.upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Weak<dyn Replay>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody waits at the bus.
struct Nobody;

#[async_trait]
impl Answer for Nobody {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        Ok(())
    }

    async fn refuse(self: Box<Self>) -> Result<(), BusError> {
        Ok(())
    }

    async fn retry(self: Box<Self>, _: std::time::Duration) -> Result<(), BusError> {
        Ok(())
    }
}

#[async_trait]
impl Replay for Work {
    async fn replay(self: Arc<Self>, message: Message) -> Option<Result<(), HandlerError>> {
        self.in_turn(&message, None, &Nobody).await
    }
}
