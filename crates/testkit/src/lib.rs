//! The test harness: manual clock, seeded randomness, fake providers, fault injection.
