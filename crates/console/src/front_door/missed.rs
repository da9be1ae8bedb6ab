//! Why a replica gave no answer that may be passed on.

use lasegue_platform::chain;

/// What became of a call instead of an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missed {
    /// No connection was made, so nothing was done.
    #[error("it cannot be reached")]
    Unreached(#[source] hyper_util::client::legacy::Error),
    /// The connection ended before the answer: nobody knows what was done.
    #[error("the connection to it broke")]
    Broken(#[source] hyper_util::client::legacy::Error),
    /// Nothing came in time: nobody knows what was or will be done.
    #[error("it does not answer")]
    Silent,
    /// Somebody else listens there, who does nothing for this service.
    #[error("another service answers at its address")]
    Stranger,
    /// It answers, and says that it cannot work.
    #[error("it is not ready")]
    NotReady,
    /// Its name leads nowhere.
    #[error("its name leads to no address")]
    Nowhere,
}

impl Missed {
    pub(super) fn of(error: hyper_util::client::legacy::Error) -> Self {
        if error.is_connect() { Self::Unreached(error) } else { Self::Broken(error) }
    }

    /// Whether it is certain that the service has done nothing.
    pub(super) fn nothing_was_done(&self) -> bool {
        matches!(self, Self::Unreached(_) | Self::Stranger | Self::Nowhere)
    }

    /// For the log: with every cause.
    pub(super) fn told(&self) -> String {
        chain(self)
    }
}
