//! Knowing tokens while keys are replaced and tokens taken back: both files are read again all the time, without a restart.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::folders::{keys_file, revoked_file};
use super::known::Known;
use super::published::{KeySet, PublishedKey, RevokedList};
use super::symmetric::SymmetricKey;
use super::{Authentication, Folders, TokenError};
use crate::chain;
use crate::clock::SharedClock;
use crate::keys::SigningKey;

/// How often the files are looked at. Each role refuses a revoked token within a second; this leaves room for a slow disk.
const EVERY: Duration = Duration::from_millis(250);
/// How long they may go unread before the process says so.
const STALE: TimeDelta = TimeDelta::seconds(5);

/// Knows whose token it is. Cheap to clone; all clones know the same.
#[derive(Clone)]
pub struct Verifier(Arc<RwLock<Arc<Known>>>);

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Verifies tokens made with `key`, none of which is ever revoked.
    pub fn new(key: &SigningKey) -> Self {
        let keys = KeySet { keys: vec![PublishedKey::of(key)], symmetric_until: None };
        Self::knowing(Known::new(keys, RevokedList::default(), None))
    }

    /// Verifies by what is published in `folders`, with what keeps it at that; the symmetric key of a former version is
    /// used when it is there.
    ///
    /// # Errors
    /// When keys or revoked tokens cannot be read: who knows neither must not serve.
    pub fn follow(folders: &Folders, clock: SharedClock) -> Result<(Self, Follower), TokenError> {
        let symmetric = SymmetricKey::find(&folders.private)?;
        let files = Files::read(&folders.public)?;
        let (keys, revoked) = files.parse(&folders.public)?;
        if let Some(until) = keys.symmetric_until.filter(|_| symmetric.is_some()) {
            tracing::warn!(%until, "tokens of the former symmetric key are accepted: end that with `lasegue token rotate`");
        }
        let verifier = Self::knowing(Known::new(keys, revoked, symmetric.as_ref()));
        let state = Arc::new(Mutex::new(State { read_at: clock.now(), fault: None }));
        let folder = folders.public.clone();
        let follower = Follower { folder, symmetric, files, clock, verifier: verifier.clone(), state };
        Ok((verifier, follower))
    }

    fn knowing(known: Known) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(known))))
    }

    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Authentication {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        known.verify(token, now)
    }
}

/// Reads both files again whenever they have changed.
pub struct Follower {
    folder: PathBuf,
    symmetric: Option<SymmetricKey>,
    files: Files,
    clock: SharedClock,
    verifier: Verifier,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Follower {
    /// Whether the files are still read, as a check of health: what was known counts on while they are not.
    pub fn state(&self) -> impl Fn() -> Result<(), String> + Send + Sync + use<> {
        let (state, clock) = (self.state.clone(), self.clock.clone());
        move || lock(&state).told(clock.now())
    }

    /// Follows the files until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(EVERY) => self.look().await,
            }
        }
    }

    async fn look(&mut self) {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || Files::read(&folder)).await;
        let outcome = match read {
            Ok(Ok(files)) => self.take(files),
            Ok(Err(error)) => Err(chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        let mut state = lock(&self.state);
        match outcome {
            Ok(()) => *state = State { read_at: self.clock.now(), fault: None },
            Err(fault) => {
                if state.fault.is_none() {
                    tracing::error!(error = fault, "keys and revoked tokens cannot be read: those known count on");
                }
                state.fault = Some(fault);
            }
        }
    }

    fn take(&mut self, files: Files) -> Result<(), String> {
        if files != self.files {
            let (keys, revoked) = files.parse(&self.folder).map_err(|error| chain(&error))?;
            tracing::info!(keys = keys.keys.len(), revoked = revoked.len(), "keys and revoked tokens were read anew");
            let known = Arc::new(Known::new(keys, revoked, self.symmetric.as_ref()));
            *self.verifier.0.write().unwrap_or_else(PoisonError::into_inner) = known;
            self.files = files;
        }
        Ok(())
    }
}

/// When the files were last read, and what has been wrong since.
struct State {
    read_at: DateTime<Utc>,
    fault: Option<String>,
}

impl State {
    fn told(&self, now: DateTime<Utc>) -> Result<(), String> {
        match &self.fault {
            Some(fault) => Err(format!("not read since {}, what was known counts on: {fault}", self.read_at)),
            None if now - self.read_at > STALE => {
                Err(format!("not read since {}, what was known counts on", self.read_at))
            }
            None => Ok(()),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is in the files, to be compared.
#[derive(PartialEq, Eq)]
struct Files {
    keys: Vec<u8>,
    revoked: Vec<u8>,
}

impl Files {
    fn read(folder: &Path) -> Result<Self, TokenError> {
        let (keys, revoked) = (keys_file(folder), revoked_file(folder));
        let keys = fs::read(&keys).map_err(|source| TokenError::file(&keys, source))?;
        match fs::read(&revoked) {
            Ok(revoked) => Ok(Self { keys, revoked }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(TokenError::NoList(revoked)),
            Err(error) => Err(TokenError::file(&revoked, error)),
        }
    }

    fn parse(&self, folder: &Path) -> Result<(KeySet, RevokedList), TokenError> {
        let keys = serde_json::from_slice(&self.keys);
        let revoked = serde_json::from_slice(&self.revoked);
        Ok((
            keys.map_err(|source| TokenError::damaged(&keys_file(folder), source))?,
            revoked.map_err(|source| TokenError::damaged(&revoked_file(folder), source))?,
        ))
    }
}
