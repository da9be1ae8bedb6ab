//! Fuzzes the record parser and the protocol loader for a bounded number of rounds:
//! `cargo run --release -p lasegue-protocol --example fuzz -- SEED ROUNDS`.

#[path = "../tests/it/fields.rs"]
mod fields;
#[path = "../tests/it/fuzz.rs"]
mod fuzz;
#[path = "../tests/it/generate.rs"]
mod generate;

/// Rounds of the record parser for one of the slower protocol loader.
const RECORDS_A_PROTOCOL: u64 = 10;

fn main() {
    let number = |argument: Option<String>, default| argument.and_then(|text| text.parse().ok()).unwrap_or(default);
    let mut arguments = std::env::args().skip(1);
    let (seed, rounds): (u64, u64) = (number(arguments.next(), 1), number(arguments.next(), 10_000));
    let count = |rounds: u64| usize::try_from(rounds).unwrap_or(usize::MAX);
    let accepted = fuzz::records(seed, count(rounds));
    println!("records: {rounds} damaged, {accepted} still accepted, no panic");
    let rounds = rounds / RECORDS_A_PROTOCOL;
    let accepted = fuzz::protocols(seed, count(rounds));
    println!("protocols: {rounds} damaged, {accepted} still accepted, no panic");
}
