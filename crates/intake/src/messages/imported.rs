//! What was new in an imported record, in as few events as a size allows.

use lasegue_contracts::intake as proto;
use lasegue_protocol::record::Registration;
use prost::Message;
use uuid::Uuid;

use super::registered;

/// Bytes of one event, but for a single piece that is larger by itself.
const MOST_BYTES: usize = 256 << 10;

/// Bytes around one piece: its field and its length.
const AROUND: usize = 4;

/// What an import has added to an episode.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    pub(crate) adjudications: Vec<proto::AdjudicationRecorded>,
    pub(crate) submissions: Vec<proto::Submission>,
}

/// The events that tell of it; none when there is nothing to tell. What people signed goes first, so that no finding looks
/// unsigned between two of them.
pub(crate) fn events(episode: Uuid, blocks: Option<(i64, &Registration)>, news: News) -> Vec<proto::RecordImported> {
    let mut parts = Parts { episode, done: Vec::new(), last: empty(episode), bytes: 0 };
    if let Some((version, registration)) = blocks {
        let proto::EpisodeRegistered { version, patient, episode, .. } =
            registered(parts.episode, version, registration);
        parts.last = proto::RecordImported { version, patient, episode, ..parts.last };
        parts.bytes = parts.last.encoded_len();
    }
    for adjudication in news.adjudications {
        parts.room(adjudication.encoded_len()).adjudications.push(adjudication);
    }
    for submission in news.submissions {
        parts.room(submission.encoded_len()).submissions.push(submission);
    }
    parts.finish()
}

struct Parts {
    episode: Uuid,
    done: Vec<proto::RecordImported>,
    last: proto::RecordImported,
    /// Of what the last one holds.
    bytes: usize,
}

impl Parts {
    /// The event that takes a piece of `bytes`, with what says where it begins and ends.
    fn room(&mut self, bytes: usize) -> &mut proto::RecordImported {
        let bytes = bytes + AROUND;
        if self.bytes > 0 && self.bytes + bytes > MOST_BYTES {
            self.done.push(std::mem::replace(&mut self.last, empty(self.episode)));
            self.bytes = 0;
        }
        self.bytes += bytes;
        &mut self.last
    }

    fn finish(mut self) -> Vec<proto::RecordImported> {
        if self.bytes > 0 {
            self.done.push(self.last);
        }
        self.done
    }
}

fn empty(episode: Uuid) -> proto::RecordImported {
    proto::RecordImported { episode_id: episode.to_string(), ..proto::RecordImported::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(number: u128, bytes: usize) -> proto::Submission {
        let id = Uuid::from_u128(number).to_string();
        proto::Submission { id, motor_longstanding: vec!["x".repeat(bytes)], ..proto::Submission::default() }
    }

    fn parts(sizes: &[usize]) -> Vec<usize> {
        let submissions = sizes.iter().zip(1..).map(|(bytes, number)| submission(number, *bytes)).collect();
        let events = events(Uuid::nil(), None, News { submissions, ..News::default() });
        events.iter().map(|event| event.submissions.len()).collect()
    }

    #[test]
    fn a_record_is_one_event_as_long_as_it_fits() {
        assert_eq!(parts(&[]), [0_usize; 0]);
        assert_eq!(parts(&[100; 200]), [200]);
    }

    #[test]
    fn a_large_record_comes_in_parts_that_are_bounded_and_leave_nothing_out() {
        let large = parts(&[60 << 10; 10]);
        assert_eq!(large, [4, 4, 2]);
        assert_eq!(parts(&[300 << 10, 10]), [1, 1], "a piece is never cut");
    }
}
