//! Who did what: every access with a token leaves a row in the database of the service that answered it.
//!
//! What changes something writes its row in the unit of work that changes it ([`crate::store::Unit::account`]); for all
//! other calls [`record`] writes it before the answer leaves. A row that the database does not take is a line of the log, and
//! counted: reading must go on. Rows are only ever added, and each second [`Sealer`] chains them: [`Book`] tells whether one
//! was changed or taken away since.

mod access;
mod book;
mod change;
mod content;
mod entry;
mod forget;
mod head;
mod keep;
pub(crate) mod keeper;
mod layer;
mod mark;
mod refused;
mod row;
mod seal;

pub use self::access::Access;
pub(crate) use self::access::{current, within};
pub use self::book::{Book, Break, Verdict};
pub use self::change::Deed;
pub(crate) use self::entry::Entry;
pub use self::forget::KEPT_FOR;
pub use self::head::HeadError;
pub(crate) use self::layer::record;
pub use self::mark::{Mark, NoMark};
pub(crate) use self::refused::Refused;
pub use self::row::{Filter, Model as Row};
pub use self::seal::{SealError, Sealer};

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::task::TaskTracker;

use crate::http::Peer;
use crate::repeated::Repeated;

/// What is still to be written about the calls of one service.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Refused sign-ins by where they came from and why.
    refused: Mutex<Repeated<(Peer, &'static str), Entry>>,
    /// Rows on their way: they go on when the caller is gone.
    writing: TaskTracker,
}

impl Trail {
    fn refused(&self) -> MutexGuard<'_, Repeated<(Peer, &'static str), Entry>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
