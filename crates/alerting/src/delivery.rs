//! What becomes of a delivery after an attempt: a pure decision. A temporary failure is tried again on the same channel,
//! then on the contact's next; nothing is tried for ever, since the escalation goes on meanwhile.

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::{Failure, Receipt};

/// How far a delivery has come. The word is what the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for a sender.
    Queued,
    /// A sender holds its lease.
    Sending,
    /// Waits for another try.
    FailedTemporarily,
    /// The next station took it.
    Accepted,
    /// The person's device has it.
    Delivered,
    /// No channel took it.
    Failed,
    /// Nobody needs it any more.
    Recalled,
}

impl DeliveryState {
    /// The word in the table and in events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::FailedTemporarily => "failed-temporarily",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Recalled => "recalled",
        }
    }
}

impl From<Receipt> for DeliveryState {
    fn from(receipt: Receipt) -> Self {
        match receipt {
            Receipt::Accepted => Self::Accepted,
            Receipt::Delivered => Self::Delivered,
        }
    }
}

/// How long one channel is tried before the contact's next has its turn.
const CHANNEL_TURN: TimeDelta = TimeDelta::seconds(30);
/// How long a delivery is tried at all: the longest step of an escalation.
const TRY_FOR: TimeDelta = TimeDelta::minutes(30);
/// The first wait before the same channel is tried again; each waits as long as the channel has been tried.
const FIRST_WAIT: TimeDelta = TimeDelta::milliseconds(500);
/// The longest such wait.
pub(crate) const LAST_WAIT: TimeDelta = TimeDelta::seconds(15);

/// An attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Why.
    pub failure: Failure,
    /// The channel's place in the contact's list.
    pub channel: usize,
    /// How many channels the contact has.
    pub channels: usize,
    /// When this channel's turn began.
    pub channel_since: DateTime<Utc>,
    /// When the delivery was queued.
    pub created_at: DateTime<Utc>,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same channel again, at this instant.
    Again(DateTime<Utc>),
    /// The contact's next channel, at once.
    Channel(usize),
    /// Nothing: the delivery has failed.
    Nothing,
}

impl Next {
    /// Whether the channel that failed has had its turn.
    pub const fn leaves_channel(self) -> bool {
        !matches!(self, Self::Again(_))
    }
}

impl Failed {
    /// What follows at `now`. `jitter`, from 0 to 999, spreads tries that failed together over half of their wait.
    pub fn next(self, now: DateTime<Utc>, jitter: u32) -> Next {
        let other = self.channel + 1;
        let turn_over = !self.failure.is_temporary() || now - self.channel_since >= CHANNEL_TURN;
        if turn_over && other < self.channels {
            return Next::Channel(other);
        }
        if !self.failure.is_temporary() || now - self.created_at >= TRY_FOR {
            return Next::Nothing;
        }
        let wait = (now - self.channel_since).clamp(FIRST_WAIT, LAST_WAIT);
        Next::Again(now + wait / 2 + wait / 2 * i32::try_from(jitter.min(999)).unwrap_or(0) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(failure: Failure, channel: usize, channels: usize) -> Failed {
        let start = DateTime::UNIX_EPOCH;
        Failed { failure, channel, channels, channel_since: start, created_at: start }
    }

    fn after(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_temporary_failure_is_tried_again_soon_and_then_more_slowly() {
        let first = failed(Failure::Trouble, 0, 1);
        assert_eq!(first.next(after(0), 0), Next::Again(after(0) + TimeDelta::milliseconds(250)));
        assert_eq!(first.next(after(4), 0), Next::Again(after(6)));
        assert_eq!(first.next(after(60), 0), Next::Again(after(60) + TimeDelta::milliseconds(7500)));
    }

    #[test]
    fn a_refusal_or_half_a_minute_of_failures_gives_the_next_channel_its_turn() {
        assert_eq!(failed(Failure::Refused, 0, 2).next(after(0), 0), Next::Channel(1));
        assert_eq!(failed(Failure::Timeout, 0, 2).next(after(30), 0), Next::Channel(1));
        assert!(matches!(failed(Failure::Timeout, 0, 2).next(after(29), 0), Next::Again(_)));
    }

    #[test]
    fn the_last_channel_is_tried_until_the_longest_step_is_over_unless_it_refuses() {
        assert!(matches!(failed(Failure::Timeout, 1, 2).next(after(1799), 0), Next::Again(_)));
        assert_eq!(failed(Failure::Timeout, 1, 2).next(after(1800), 0), Next::Nothing);
        assert_eq!(failed(Failure::Refused, 1, 2).next(after(0), 0), Next::Nothing);
    }

    proptest! {
        #[test]
        fn waits_lie_between_a_quarter_second_and_fifteen_seconds(jitter in 0_u32..2000, at in 0_i64..29) {
            let failed = failed(Failure::Unreachable, 0, 2);
            let Next::Again(next) = failed.next(after(at), jitter) else { return Err(TestCaseError::fail("gave up")) };
            prop_assert!((TimeDelta::milliseconds(250)..=LAST_WAIT).contains(&(next - after(at))));
        }
    }
}
