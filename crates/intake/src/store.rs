//! Intake's tables as sea-orm sees them.

pub(crate) mod adjudications;
pub(crate) mod ahead;
pub(crate) mod episodes;
pub(crate) mod refusals;
pub(crate) mod requests;
pub(crate) mod submissions;

/// Part of a list, oldest first, and whether there are older ones.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) older: bool,
}

impl<T> Page<T> {
    /// The page of `rows`, newest first, of which one more was read than the page holds.
    fn of(mut rows: Vec<T>, most: usize) -> Self {
        let older = rows.len() > most;
        rows.truncate(most);
        rows.reverse();
        Self { rows, older }
    }
}
