//! What becomes of a delivery after an attempt: a pure decision. A temporary failure is tried again on the same channel,
//! then on the contact's next. On the last it is still tried when the escalation need not wait for the contact any more;
//! nothing is tried for ever.

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
    /// Whether the contact counts as unreachable already.
    pub unreached: bool,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same channel again, at this instant.
    Again(DateTime<Utc>),
    /// The same channel again, but from now on the contact counts as unreachable.
    Unreached(DateTime<Utc>),
    /// The contact's next channel, at once.
    Channel(usize),
    /// Nothing: the delivery has failed.
    Nothing,
}

impl Next {
    /// Whether the channel that failed has had its turn.
    pub const fn leaves_channel(self) -> bool {
        matches!(self, Self::Channel(_) | Self::Nothing)
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
        let at = now + self.wait(now, jitter);
        if turn_over && !self.unreached { Next::Unreached(at) } else { Next::Again(at) }
    }

    /// Whether `next` lets the contact count as unreachable that did not before: once for each delivery.
    pub fn is_news(self, next: Next) -> bool {
        !self.unreached && matches!(next, Next::Unreached(_) | Next::Nothing)
    }

    /// Not far beyond the end of the channel's turn, so that what then follows is not late.
    fn wait(self, now: DateTime<Utc>, jitter: u32) -> TimeDelta {
        let tried = now - self.channel_since;
        let longest = if tried < CHANNEL_TURN { LAST_WAIT.min(CHANNEL_TURN - tried) } else { LAST_WAIT };
        let wait = tried.min(longest).max(FIRST_WAIT);
        wait / 2 + wait / 2 * i32::try_from(jitter.min(999)).unwrap_or(0) / 1000
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(failure: Failure, channel: usize, channels: usize) -> Failed {
        let start = DateTime::UNIX_EPOCH;
        Failed { failure, channel, channels, channel_since: start, created_at: start, unreached: false }
    }

    fn after(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_temporary_failure_is_tried_again_soon_and_then_more_slowly() {
        let first = failed(Failure::Trouble, 0, 1);
        assert_eq!(first.next(after(0), 0), Next::Again(after(0) + TimeDelta::milliseconds(250)));
        assert_eq!(first.next(after(4), 0), Next::Again(after(6)));
        let told = Failed { unreached: true, ..first };
        assert_eq!(told.next(after(60), 0), Next::Again(after(60) + TimeDelta::milliseconds(7500)));
    }

    #[test]
    fn a_refusal_or_half_a_minute_of_failures_gives_the_next_channel_its_turn() {
        assert_eq!(failed(Failure::Refused, 0, 2).next(after(0), 0), Next::Channel(1));
        assert_eq!(failed(Failure::Timeout, 0, 2).next(after(30), 0), Next::Channel(1));
        assert!(matches!(failed(Failure::Timeout, 0, 2).next(after(29), 0), Next::Again(_)));
    }

    #[test]
    fn the_last_channel_is_tried_until_the_longest_step_is_over_unless_it_refuses() {
        let told = Failed { unreached: true, ..failed(Failure::Timeout, 1, 2) };
        assert!(matches!(told.next(after(1799), 0), Next::Again(_)));
        assert_eq!(failed(Failure::Timeout, 1, 2).next(after(1800), 0), Next::Nothing);
        assert_eq!(failed(Failure::Refused, 1, 2).next(after(0), 0), Next::Nothing);
    }

    #[test]
    fn half_a_minute_of_failures_on_the_last_channel_lets_the_contact_count_as_unreachable() {
        let last = failed(Failure::Timeout, 1, 2);
        assert!(matches!(last.next(after(29), 0), Next::Again(_)));
        assert!(matches!(last.next(after(30), 0), Next::Unreached(_)));
        assert!(last.is_news(Next::Unreached(after(31))) && last.is_news(Next::Nothing));
        assert!(!last.is_news(Next::Again(after(31))) && !last.is_news(Next::Channel(2)));
    }

    /// What follows each failure of a contact whose channels all fail, until the delivery ends.
    fn course(failure: Failure, channels: usize, jitter: u32) -> Vec<(DateTime<Utc>, Next, bool)> {
        let (mut failed, mut now, mut course) = (failed(failure, 0, channels), after(0), Vec::new());
        loop {
            let next = failed.next(now, jitter);
            let news = failed.is_news(next);
            course.push((now, next, news));
            failed.unreached |= news;
            match next {
                Next::Nothing => return course,
                Next::Channel(channel) => failed = Failed { channel, channel_since: now, ..failed },
                Next::Again(at) | Next::Unreached(at) => now = at,
            }
        }
    }

    proptest! {
        #[test]
        fn a_contact_counts_as_unreachable_once_and_in_time_and_is_tried_on(jitter in 0_u32..1000, channels in 1_usize..4) {
            let course = course(Failure::Trouble, channels, jitter);
            let told: Vec<_> = course.iter().filter(|(_, _, news)| *news).collect();
            let turns = 30 * i64::try_from(channels).unwrap();
            prop_assert_eq!(told.len(), 1);
            prop_assert!((after(turns)..after(turns + 2)).contains(&told[0].0), "{:?}", told);
            prop_assert!(matches!(told[0].1, Next::Unreached(_)));
            prop_assert!(course.last().unwrap().0 >= after(1800));
        }

        #[test]
        fn a_contact_that_refuses_everywhere_is_told_of_at_once_and_once(channels in 1_usize..4) {
            let course = course(Failure::Refused, channels, 0);
            prop_assert_eq!(course.len(), channels);
            prop_assert_eq!(course.iter().map(|(at, _, news)| (*at, *news)).next_back(), Some((after(0), true)));
        }

        #[test]
        fn waits_lie_between_a_quarter_second_and_fifteen_seconds(jitter in 0_u32..2000, at in 0_i64..29) {
            let failed = failed(Failure::Unreachable, 0, 2);
            let Next::Again(next) = failed.next(after(at), jitter) else { return Err(TestCaseError::fail("gave up")) };
            prop_assert!((TimeDelta::milliseconds(250)..=LAST_WAIT).contains(&(next - after(at))));
        }
    }
}
