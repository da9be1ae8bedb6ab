//! What a log line says of an error.

use std::fs;
use std::path::Path;

use crate::metrics::sources;

#[test]
fn every_log_line_tells_an_error_with_all_its_causes() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in fs::read_dir(crates).expect("the crates are there") {
        sources(&folder.expect("an entry").path().join("src"), &mut files);
    }
    let outermost_only: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(file).expect("a source").contains(concat!("%", "error")))
        .collect();
    assert!(outermost_only.is_empty(), "write `error = chain(&error)` in: {outermost_only:#?}");
}
