//! How much an episode may hold. One more is refused with a sentence, and read for danger like everything refused.

use lasegue_platform::store::Unit;
use lasegue_values::limits::{MOST_ADJUDICATIONS, MOST_SUBMISSIONS};
use sea_orm::prelude::Uuid;

use crate::error::IntakeError;
use crate::store::{adjudications, submissions};

/// Submissions and adjudications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces {
    pub(crate) submissions: usize,
    pub(crate) adjudications: usize,
}

impl Pieces {
    pub(crate) const ONE_SUBMISSION: Self = Self { submissions: 1, adjudications: 0 };
    pub(crate) const ONE_ADJUDICATION: Self = Self { submissions: 0, adjudications: 1 };

    pub(crate) const fn is_none(self) -> bool {
        self.submissions == 0 && self.adjudications == 0
    }

    /// Refuses more than an episode may hold.
    fn fit(self) -> Result<(), IntakeError> {
        if self.submissions > MOST_SUBMISSIONS {
            return Err(IntakeError::Full { most: MOST_SUBMISSIONS, what: "submissions" });
        }
        if self.adjudications > MOST_ADJUDICATIONS {
            return Err(IntakeError::Full { most: MOST_ADJUDICATIONS, what: "adjudications" });
        }
        Ok(())
    }
}

/// Refuses to add `more` when the episode would hold more than it may. On PostgreSQL units side by side may pass it by as many
/// as they are; what assessment takes leaves room for that.
pub(crate) async fn check(unit: &Unit, episode: Uuid, more: Pieces) -> Result<(), IntakeError> {
    let sum = |there: u64, more: usize| usize::try_from(there).unwrap_or(usize::MAX).saturating_add(more);
    let submissions = sum(submissions::count(unit.db(), episode).await?, more.submissions);
    let adjudications = sum(adjudications::count(unit.db(), episode).await?, more.adjudications);
    Pieces { submissions, adjudications }.fit()
}
