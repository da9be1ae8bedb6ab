//! The units that wait for the writing task, and which of them go into one commit.
//!
//! Background units give way: one that runs is the last before those that came meanwhile, which join its commit and close
//! it. So nobody waits for more than one of them, and as long as nobody else is there many share a commit.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::Job;

/// Units that one commit holds at most of either kind.
const BATCH: usize = 128;
const BACKGROUND: usize = 32;

/// The units that wait for the writing task.
pub(super) struct Jobs {
    first: mpsc::Receiver<Job>,
    background: mpsc::Receiver<Job>,
    /// Those that close the commit under way.
    closing: VecDeque<Job>,
    /// Whether other units than background ones closed the last commit: then a waiting background one begins the next.
    closed: bool,
    /// Background units of the commit under way.
    taken: usize,
}

impl Jobs {
    pub(super) fn new(first: mpsc::Receiver<Job>, background: mpsc::Receiver<Job>) -> Self {
        Self { first, background, closing: VecDeque::new(), closed: false, taken: 0 }
    }

    /// Waits for the first unit of a commit. None once nothing can come any more.
    pub(super) async fn begin(&mut self) -> Option<Job> {
        self.taken = 1;
        if std::mem::take(&mut self.closed)
            && let Ok(job) = self.background.try_recv()
        {
            return Some(job);
        }
        tokio::select! {
            biased;
            Some(job) = self.first.recv() => Some(self.close_with(job)),
            Some(job) = self.background.recv() => Some(job),
            else => None,
        }
    }

    /// The next unit of the same commit, if there is one for it.
    pub(super) fn go_on(&mut self) -> Option<Job> {
        if self.closed {
            return self.closing.pop_front();
        }
        if let Ok(job) = self.first.try_recv() {
            return Some(self.close_with(job));
        }
        if self.taken == BACKGROUND {
            return None;
        }
        self.taken += 1;
        self.background.try_recv().ok()
    }

    /// Everybody who waits, when nothing can be committed now.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Job> {
        let closing = std::mem::take(&mut self.closing);
        let waiting = std::iter::from_fn(|| self.first.try_recv().or_else(|_| self.background.try_recv()).ok());
        closing.into_iter().chain(waiting.take(BATCH))
    }

    fn close_with(&mut self, job: Job) -> Job {
        self.closed = true;
        while self.closing.len() + 1 < BATCH
            && let Ok(job) = self.first.try_recv()
        {
            self.closing.push_back(job);
        }
        job
    }
}
