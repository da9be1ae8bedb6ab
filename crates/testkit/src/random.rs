//! Randomness from a seed: the same seed gives the same ids.

use std::sync::{Mutex, PoisonError};

use lasegue_platform::random::Random;
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

/// Randomness that a seed decides.
#[derive(Debug)]
pub struct SeededRandom(Mutex<SmallRng>);

impl SeededRandom {
    /// The randomness of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
