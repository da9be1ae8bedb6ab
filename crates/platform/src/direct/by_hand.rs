//! What reaches a consumer: what the queue delivers and what is handed over, or while the queue is away only this.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::doors::Inside;
use crate::bus::{BusError, Deliveries, Delivery, Joined};

/// Deliveries that come by hand, and the queue's.
pub(super) struct ByHand {
    inside: Inside,
    queue: Queue,
    anew: bool,
}

/// How it stands with the queue.
enum Queue {
    Joined(Box<dyn Deliveries>),
    Joining(Joining),
    /// It could not be joined, and is tried again after this.
    Away(BoxFuture<'static, ()>),
}

/// A join under way. It ends with its consumer.
struct Joining(JoinHandle<Result<Joined, BusError>>);

impl Drop for Joining {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ByHand {
    pub(super) fn beside(inside: Inside, joined: Joined) -> Self {
        Self { inside, queue: Queue::Joined(joined.deliveries), anew: joined.anew }
    }

    pub(super) fn until_joined(inside: Inside, joining: JoinHandle<Result<Joined, BusError>>) -> Self {
        Self { inside, queue: Queue::Joining(Joining(joining)), anew: false }
    }

    pub(super) fn for_now(inside: Inside, again: BoxFuture<'static, ()>) -> Self {
        Self { inside, queue: Queue::Away(again), anew: false }
    }

    pub(super) fn into_joined(self) -> Joined {
        Joined { anew: self.anew, deliveries: Box::new(self) }
    }
}

#[async_trait]
impl Deliveries for ByHand {
    /// None when the queue has to be joined, or has been: then the consumer takes both from its next turn on.
    async fn next(&mut self) -> Option<Delivery> {
        let queued = async {
            match &mut self.queue {
                Queue::Joined(deliveries) => Ok(deliveries.next().await),
                Queue::Joining(joining) => Err((&mut joining.0).await.unwrap_or(Err(BusError::Closed)).ok()),
                Queue::Away(again) => {
                    again.await;
                    Err(None)
                }
            }
        };
        tokio::select! {
            handed = self.inside.next() => handed,
            queued = queued => match queued {
                Ok(delivery) => delivery,
                Err(joined) => {
                    if let Some(joined) = joined {
                        self.inside.keep(joined);
                    }
                    None
                }
            },
        }
    }
}
