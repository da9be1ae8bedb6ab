//! Randomness, injected: ids and secrets come from here, and a test seeds it.

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

/// A source of random bytes, fit for secrets in production.
pub trait Random: Send + Sync + Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A source of randomness that parts share.
pub type SharedRandom = Arc<dyn Random>;

impl dyn Random + '_ {
    /// A UUID of version 7: ordered by `now`, random below the millisecond.
    pub fn id(&self, now: DateTime<Utc>) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// A number below `bound`, or 0 when `bound` is 0. Good for jitter, not for secrets.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or_default()
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl SystemRandom {
    /// The operating system's generator, ready to share.
    pub fn shared() -> SharedRandom {
        Arc::new(Self)
    }
}

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads ambient randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        use rand::RngCore;
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_differ_within_a_millisecond() {
        let random = SystemRandom::shared();
        let now = DateTime::UNIX_EPOCH + chrono::Duration::days(20_000);
        let (first, second) = (random.id(now), random.id(now));
        assert_ne!(first, second);
        assert!(random.id(now + chrono::Duration::milliseconds(1)) > first.max(second));
    }

    #[test]
    fn a_number_stays_below_its_bound() {
        let random = SystemRandom::shared();
        assert!((0..1_000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }
}
