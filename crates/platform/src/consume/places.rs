//! Where in their streams the events are that a task handles, for the inbox.

use std::sync::Arc;

use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Places;
}

/// The places of some events, by their ids. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Arc<[(Uuid, u64)]>);

impl Places {
    /// Those of the events that the running task handles.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    /// Runs `work` as the handling of these events.
    pub(super) async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The place of `event`, where its transport keeps one.
    pub(crate) fn of(&self, event: Uuid) -> Option<u64> {
        self.0.iter().find(|(id, _)| *id == event).map(|(_, place)| *place)
    }
}

impl FromIterator<(Uuid, u64)> for Places {
    fn from_iter<I: IntoIterator<Item = (Uuid, u64)>>(places: I) -> Self {
        Self(places.into_iter().collect())
    }
}
