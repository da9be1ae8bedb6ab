//! Each example's bytes against those that were frozen. A difference means the code is wrong: the files never change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lasegue_contracts::event;

use crate::examples;

fn frozen(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(format!("{name}.hex"))
}

/// Hexadecimal, 32 bytes a line.
fn hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat() + "\n";
    bytes.chunks(32).map(line).collect()
}

#[test]
fn every_event_has_an_example() {
    let event = |name: &'static str| name.split('.').next().unwrap_or(name);
    let examples: BTreeSet<_> = examples::all().into_iter().map(|example| event(example.name)).collect();
    let events: BTreeSet<_> = event::NAMES.iter().map(|(_, name)| *name).collect();
    assert_eq!(examples, events);
}

#[test]
fn the_bytes_of_every_event_are_those_that_were_frozen() {
    for example in examples::all() {
        let file = frozen(example.name);
        let kept = std::fs::read_to_string(&file).unwrap_or_else(|_| {
            std::fs::write(&file, hex(&example.bytes)).expect("the folder takes a file");
            panic!("{} is new: its bytes are frozen now, look at them and commit the file", example.name)
        });
        assert_eq!(hex(&example.bytes), kept, "{} has other bytes than it had", example.name);
    }
}

#[test]
fn every_event_survives_decoding() {
    for example in examples::all() {
        assert_eq!(example.bytes, example.again, "{}", example.name);
    }
}
