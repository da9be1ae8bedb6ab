use super::Protocol;

#[test]
fn the_embedded_protocol_loads() {
    if let Err(faults) = Protocol::load(super::EMBEDDED) {
        let all: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"));
    }
}

#[test]
fn a_code_that_is_too_long_for_an_event_is_refused() {
    let longer = format!("reflex-changed-{}", "x".repeat(86));
    let faults =
        Protocol::load(&super::EMBEDDED.replace("reflex-changed", &longer)).expect_err("101 bytes are too many");
    assert!(faults.iter().any(|fault| fault.to_string().contains("a code may have 100 bytes at most")));
}
