use super::Protocol;

#[test]
fn the_embedded_protocol_loads() {
    if let Err(faults) = Protocol::load(super::EMBEDDED) {
        let all: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"));
    }
}
