//! Telling of refused sign-ins: each is counted, and the log has a line for the first of each minute from one address for one
//! reason, so that a flood does not flood the log, nor hides who else tries.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::http::Peer;
use crate::repeated::Repeated;

/// The refused sign-ins of one process.
#[derive(Debug, Default)]
pub(crate) struct RefusedSignIns(Mutex<Repeated<(Peer, &'static str), ()>>);

impl RefusedSignIns {
    /// Notes one more. The line stands in its request's span, which names address and request; the token is never told.
    pub(crate) fn note(&self, reason: &'static str, peer: Peer, now: DateTime<Utc>) {
        metrics::counter!("sign_ins_refused_total", "reason" => reason).increment(1);
        let mut repeated = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if repeated.note((peer, reason), (), now) {
            let untold: u64 = repeated.take_over(now).iter().map(|seen| u64::from(seen.more)).sum();
            tracing::warn!(reason, %peer, untold, "a sign-in was refused; `untold` were before it without a line");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().expect("likewise").clone()).expect("a log is text");
            text.lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn forged_tokens_are_in_the_log_and_flood_neither_it_nor_who_else_tries() {
        let (log, refused) = (Log::default(), RefusedSignIns::default());
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let at = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let [flood, other] = [5, 6].map(|end| Peer { address: Some([10, 0, 0, end].into()), named: None });
        tracing::subscriber::with_default(subscriber, || {
            (0..1500).for_each(|_| refused.note("forged", flood, at(10)));
            assert_eq!(log.lines().len(), 1);
            refused.note("forged", other, at(11));
            refused.note("expired", flood, at(71));
        });
        let [_, second, last] = log.lines().try_into().expect("three lines");
        assert!(second.contains("peer=10.0.0.6") && second.contains("untold=0"), "{second}");
        assert!(last.contains("reason=\"expired\"") && last.contains("untold=1499"), "{last}");
    }
}
