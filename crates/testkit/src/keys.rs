//! The keys that the services of a test sign their events with.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use lasegue_contracts::Service;
use lasegue_platform::keys::SigningKey;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::signed::EventKeys;

static KEYS: LazyLock<Arc<EventKeys>> = LazyLock::new(|| Arc::new(made()));

/// Those of every service: the same ones wherever this process asks.
pub fn event_keys() -> Arc<EventKeys> {
    KEYS.clone()
}

fn made() -> EventKeys {
    let own: BTreeMap<_, _> = Service::ALL.map(|service| (service, SigningKey::generate(&SystemRandom))).into();
    let known = own.iter().map(|(service, key)| (*service, key.verifying())).collect();
    EventKeys::new(own, &known).expect("each key is known")
}
