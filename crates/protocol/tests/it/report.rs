//! The page of text, and the comparison of protocols over past records.

use lasegue_protocol::backtest::{Summary, compare};
use lasegue_protocol::record::Record;
use lasegue_protocol::{Protocol, evaluate, report};

use crate::golden;

fn record(case: &str) -> Record {
    let cases = golden::all();
    let (_, case) = cases.iter().find(|(name, _)| name.contains(case)).expect("the case");
    Record::parse(&case["record"]).expect("it is valid")
}

#[test]
fn the_report_reads_well() {
    for case in
        ["06c-worse", "06h-signed", "10-patient", "15-emergency", "17b-surgery", "23c-corrected", "24f-resolved"]
    {
        let record = record(case);
        let assessment = evaluate(Protocol::embedded(), &record, None).expect("it can be evaluated");
        let page = report::text(Protocol::embedded(), &record, &assessment);
        let page = page.replace(&Protocol::embedded().reference().sha256[..12], "[hash]");
        insta::assert_snapshot!(case, page);
    }
}

#[test]
fn a_backtest_tells_who_would_get_what_and_how_many_pages() {
    let text = Protocol::embedded_text()
        .replace("value = 15\nunit = \"mm\"", "value = 14\nunit = \"mm\"")
        .replace("option.cauda_equina_watch_is_emergency\"", "sexual_dysfunction\"");
    let changed = Protocol::load(&text).expect("it is safe");
    let mut summary = Summary::default();
    for case in ["01-unremarkable", "02a-leg-pain", "11-sexual", "06b-worse"] {
        let difference = compare(Protocol::embedded(), &changed, &record(case));
        summary.add(case, difference.expect("it can be evaluated"));
    }
    insta::assert_snapshot!(summary.to_string());
    insta::assert_snapshot!(summary.figures().to_string());
}
