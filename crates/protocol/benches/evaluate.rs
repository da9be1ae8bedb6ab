//! How long an evaluation takes: by length of the history, for a whole population, and one rule
//! against the same written by hand.

#[path = "../tests/it/fields.rs"]
mod fields;
#[path = "../tests/it/generate.rs"]
mod generate;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lasegue_protocol::record::{Movement, Record, Report, Side};
use lasegue_protocol::{Probe, Protocol, evaluate};
use rayon::prelude::*;

const POPULATION: u64 = 6_000;
const VISITS: usize = 4;

fn json(seed: u64, visits: usize) -> Vec<u8> {
    serde_json::to_vec(&generate::record(seed, visits)).expect("a record is JSON")
}

fn record(seed: u64, visits: usize) -> Record {
    Record::parse_slice(&json(seed, visits)).expect("the generator makes valid records")
}

fn by_history(criterion: &mut Criterion) {
    let protocol = Protocol::embedded();
    let mut group = criterion.benchmark_group("one evaluation");
    for visits in [1, 4, 20, 100] {
        let records: Vec<_> = (0..20).map(|seed| record(seed, visits)).collect();
        group.throughput(Throughput::Elements(20));
        group.bench_with_input(BenchmarkId::new("visits", visits), &records, |bench, records| {
            bench.iter(|| records.iter().filter(|record| evaluate(protocol, record, None).is_ok()).count());
        });
    }
    group.finish();
}

fn population(criterion: &mut Criterion) {
    let protocol = Protocol::embedded();
    let population: Vec<_> = (0..POPULATION).map(|seed| json(seed, VISITS)).collect();
    let mut group = criterion.benchmark_group("population");
    group.sample_size(10).throughput(Throughput::Elements(POPULATION));
    let bytes = |json: &Vec<u8>| {
        let record = Record::parse_slice(json).ok()?;
        let assessment = evaluate(protocol, &record, None).ok()?;
        serde_json::to_vec(&assessment).ok()
    };
    group.bench_function("6000 records of 4 visits, parsed and printed, all cores", |bench| {
        bench.iter(|| population.par_iter().filter_map(bytes).map(|json| json.len()).sum::<usize>());
    });
    group.finish();
}

/// The severe motor deficit of a side, as one would write it by hand.
fn severe_by_hand(now: &Report, earlier: &[&Report], side: Side) -> bool {
    let movements = [
        Movement::KneeExtension,
        Movement::AnkleDorsiflexion,
        Movement::GreatToeExtension,
        Movement::AnklePlantarflexion,
        Movement::HipFlexion,
    ];
    let mut dropped = 0;
    for movement in movements {
        let Some(grade) = now.motor.grade(side, movement) else { continue };
        let best = earlier.iter().filter_map(|report| report.motor.grade(side, movement)).max();
        let old = || now.motor_longstanding.iter().any(|site| site.side == side && site.movement == movement);
        match best {
            Some(best) if best >= grade + 2 || (best > grade && grade <= 3) => return true,
            Some(best) if best > grade => dropped += 1,
            None if grade <= 3 && !old() => return true,
            _ => {}
        }
    }
    dropped >= 2
}

/// Worse leg pain, as one would write it by hand.
fn worse_by_hand(now: &Report, earlier: &[&Report]) -> bool {
    let Some(leg) = now.pain.leg else { return false };
    let Some(previous) = earlier.iter().rev().find_map(|report| report.pain.leg) else { return false };
    let mm = |score: lasegue_protocol::record::PainScore| match score.scale {
        lasegue_protocol::record::Scale::Vas => i64::from(score.value),
        lasegue_protocol::record::Scale::Nrs => 10 * i64::from(score.value),
    };
    let least = match (leg.scale == previous.scale, leg.scale) {
        (true, lasegue_protocol::record::Scale::Vas) => 15,
        _ => 20,
    };
    mm(leg) - mm(previous) >= least
}

fn by_hand(criterion: &mut Criterion) {
    let protocol = Protocol::embedded();
    let record = record(7, VISITS);
    let longstanding = Probe::longstanding(&record);
    let mut probe = Probe::new(protocol, &record, &longstanding).expect("some visit counts");
    let severe = probe.number("motor-deficit-severe").expect("the protocol has it");
    let treated = probe.number("leg-pain-worse-despite-treatment").expect("the protocol has it");
    let (now, earlier) = record.submissions.split_last().expect("there are visits");
    let earlier: Vec<_> = earlier.iter().map(|visit| &visit.report).collect();
    let mut group = criterion.benchmark_group("rules");
    group.bench_function("all grave rules and definitions, engine", |bench| {
        bench.iter(|| probe.run_grave());
    });
    group.bench_function("severe motor deficit, engine", |bench| {
        bench.iter(|| probe.holds(black_box(severe), Some(Side::Left)));
    });
    group.bench_function("severe motor deficit, by hand", |bench| {
        bench.iter(|| severe_by_hand(black_box(&now.report), &earlier, Side::Left));
    });
    group.bench_function("worse leg pain, engine", |bench| {
        bench.iter(|| probe.holds(black_box(treated), None));
    });
    group.bench_function("worse leg pain, by hand", |bench| {
        bench.iter(|| worse_by_hand(black_box(&now.report), &earlier));
    });
    group.finish();
}

criterion_group!(benches, by_history, population, by_hand);
criterion_main!(benches);
