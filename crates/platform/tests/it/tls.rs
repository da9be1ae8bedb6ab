//! Who needs the certificates of authorities.

use std::fs;
use std::path::Path;

use crate::metrics::sources;

/// Whether every client of HTTP in `source` is one that a machine without certificates can make too.
fn every_client_does_without(source: &str) -> bool {
    let packed: String = source.split_whitespace().collect();
    packed.matches("Client::builder()").count()
        == packed.matches("tls::client(||Client::builder()").count()
            + packed.matches("tls::client(||{Client::builder()").count()
            + packed.matches("tls::client(||reqwest::Client::builder()").count()
}

#[test]
fn only_a_call_of_an_https_address_needs_certificates() {
    let mut files = Vec::new();
    for name in ["alerting", "lasegue", "console", "platform"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"), &mut files);
    }
    let needs: Vec<_> =
        files.iter().filter(|file| !every_client_does_without(&fs::read_to_string(file).expect("a source"))).collect();
    assert!(needs.is_empty(), "make the client with `tls::client` in: {needs:#?}");
}
