//! Changed protocol files: what takes effect, what is refused, and with which sentence.

use lasegue_protocol::record::Record;
use lasegue_protocol::{LoadFault, Protocol, diff, evaluate, guide};

use crate::golden;

fn changed(from: &str, to: &str) -> String {
    let text = Protocol::embedded_text();
    assert!(text.contains(from), "the protocol has no {from}");
    text.replacen(from, to, 1)
}

fn refused(from: &str, to: &str) -> Vec<LoadFault> {
    Protocol::load(&changed(from, to)).expect_err("it must be refused")
}

/// The line of the embedded protocol that starts with a text.
fn line_of(start: &str) -> usize {
    let mut lines = Protocol::embedded_text().lines();
    lines.position(|line| line.starts_with(start)).expect("there is such a line") + 1
}

fn codes(protocol: &Protocol, case: &str) -> Vec<String> {
    let cases = golden::all();
    let (_, case) = cases.iter().find(|(name, _)| name.contains(case)).expect("the case");
    let record = Record::parse(&case["record"]).expect("it is valid");
    let result = evaluate(protocol, &record, None).expect("it can be evaluated");
    result.findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_changed_threshold_changes_the_result() {
    let strict = changed("value = 15\nunit = \"mm\"", "value = 14\nunit = \"mm\"");
    let strict = Protocol::load(&strict).expect("it is within its bounds");
    let worse = "leg-pain-worse".to_owned();
    assert!(!codes(Protocol::embedded(), "02a").contains(&worse));
    assert!(codes(&strict, "02a").contains(&worse));
    let changes = diff::changes(Protocol::embedded(), &strict);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].contains("15 mm becomes 14 mm; touches leg-pain-worse"), "{changes:?}");
    assert_ne!(strict.reference().sha256, Protocol::embedded().reference().sha256);
}

#[test]
fn an_unsafe_threshold_is_refused_with_a_sentence() {
    let faults = refused("value = 38.0", "value = 39.5");
    let sentence = "threshold fever is 39.5, which is not safe: a measured temperature that is a \
                    fever; allowed is 37.5 to 38.3 celsius";
    assert_eq!(faults.iter().map(|fault| fault.reason.as_str()).collect::<Vec<_>>(), [sentence]);
    assert_eq!(faults[0].line, line_of("[thresholds.fever]"));
}

#[test]
fn an_option_changes_the_result() {
    let option = "[options.cauda_equina_watch_is_emergency]\nvalue = ";
    let text = changed(&format!("{option}false"), &format!("{option}true"));
    let strict = Protocol::load(&text).expect("an option may be switched");
    let cases = golden::all();
    let (_, case) = cases.iter().find(|(name, _)| name.contains("11-sexual")).expect("the case");
    let record = Record::parse(&case["record"]).expect("it is valid");
    let result = evaluate(&strict, &record, None).expect("it can be evaluated");
    assert_eq!(result.findings[0].code, "cauda-equina-watch");
    assert_eq!(result.findings[0].severity.as_str(), "emergency");
    let adjacent = "[options.strict_single_dermatome]\nvalue = ";
    let text = changed(&format!("{adjacent}false"), &format!("{adjacent}true"));
    let strict = Protocol::load(&text).expect("an option may be switched");
    assert!(codes(&strict, "13a").contains(&"plexopathy-suspected".to_owned()));
}

#[test]
fn mistakes_are_named_with_their_line() {
    let unknown = refused("is = \"days_of_symptoms > t", "is = \"days_of_symptom > t");
    assert!(unknown[0].reason.contains("did you mean \"days_of_symptoms\"?"), "{unknown:?}");
    assert_eq!(unknown[0].line, line_of("is = \"days_of_symptoms > t"));
    assert_eq!(unknown.len(), 1, "what follows from it is not reported: {unknown:?}");
    let cases = [
        ("leg_pain >= t.persistent_pain", "leg_pain >= t.six_weeks", "mm stands against days"),
        ("leg_pain >= t.persistent_pain", "leg_pain", "definition imaging_due"),
        ("leg_pain >= t.persistent_pain", "leg_pain && pregnant", "this is a number where a yes or no"),
        ("leg_pain >= t.persistent_pain", "leg_pain >= pregnant", "this is a yes or no where a number"),
        ("leg_pain >= t.persistent_pain", "leg_pain >=", "missing at the end"),
        ("leg_pain >= t.persistent_pain", "leg_pain ? 1 : 2", "no sign of the rule language"),
        ("leg_pain >= t.persistent_pain", "(leg_pain > 1", "closing parenthesis"),
        ("leg_pain >= t.persistent_pain", "persistent_pain", "there is no \"persistent_pain\" here"),
        ("section = \"Pain\"", "sektion = \"Pain\"", "unknown field `sektion`"),
        ("severity = \"routine\"", "severity = \"grave\"", "unknown word"),
        ("cites = [\"[3]\"]", "cites = [\"[9]\"]", "which is no listed source"),
        ("limit = \"24h\"", "limit = \"soon\"", "a limit is now, same-day"),
        ("unit = \"mm\"", "unit = \"inch\"", "is no unit"),
        (
            "pain has risen from {leg_pain_previous} to {leg_pain}.\"\naction = \"Look",
            "pain {leg_pain.\"\naction = \"Look",
            "a gap of the text is not closed",
        ),
        ("{leg_pain_previous}", "{pregnant}", "a number is needed"),
    ];
    for (from, to, reason) in cases {
        let faults = refused(from, to);
        assert!(faults.iter().any(|fault| fault.reason.contains(reason)), "{to}: {faults:?}");
    }
}

#[test]
fn every_finding_needs_its_parts() {
    let cases = [
        ("code = \"leg-pain-worse\"", "code = \"leg-pain-wors\"", "leg-pain-worse is missing"),
        ("text = \"Leg pain has risen", "text = \"\" #", "needs a text"),
        ("action = \"Look for a cause", "action = \" \" #", "needs an action"),
        ("local = \"the whole rule, which", "# local = \"", "needs a citation"),
        ("code = \"leg-pain-unknown\"", "code = \"leg-pain-worse\"", "a second time"),
    ];
    for (from, to, reason) in cases {
        let faults = refused(from, to);
        assert!(faults.iter().any(|fault| fault.reason.contains(reason)), "{to}: {faults:?}");
    }
}

#[test]
fn nothing_may_delay_lower_or_mute_an_emergency() {
    let emergency = "when = \"core_problems >= 1 ||";
    let infection = "when = \"feverish && (infection_risk || new_deficit)\"";
    let cases = [
        (emergency, "when = \"!found.leg_pain_worse && core_problems >= 1 ||", "would mute it"),
        (infection, "when = \"feverish && infection_risk && !pregnant\"", "able to fire without them"),
        (infection, "when = \"feverish && infection_risk && age < t.fragile_age\"", "able to fire without"),
        (infection, "when = \"feverish && infection_risk && days_treated > t.six_weeks\"", "able to fire"),
        (infection, "when = \"feverish && !option.strict_single_dermatome\"", "able to fire without"),
        (infection, "when = \"feverish && !active_urgent\"", "is known only after"),
        ("severity = \"emergency\"\nlimit = \"now\"", "severity = \"emergency\"\nlimit = \"24h\"", "limit now"),
        ("severity = \"urgent\"\nlimit = \"7d\"", "severity = \"urgent\"\nlimit = \"8d\"", "longer than 7d"),
        ("to = \"urgent\", limit = \"24h\"", "to = \"info\", limit = \"24h\"", "never lower it"),
        (
            "kind = \"hold\"\nwhen = \"active_emergency\"",
            "kind = \"hold\"\nwhen = \"active_urgent\"",
            "must begin with hold",
        ),
        (
            "stands_for = [\"cauda-equina-watch\"]",
            "stands_for = [\"cauda-equina-watch\"]\nelective = true",
            "cannot be one",
        ),
        (
            "stands_for = [\"cauda-equina-watch\"]",
            "stands_for = [\"leg-pain-worse-despite-treatment\", \"cauda-equina-watc\"]",
            "is no finding",
        ),
    ];
    for (from, to, reason) in cases {
        let faults = refused(from, to);
        assert!(faults.iter().any(|fault| fault.reason.contains(reason)), "{to}: {faults:?}");
    }
}

#[test]
fn a_circle_of_definitions_is_refused() {
    let faults = refused("is = \"leg_pain >= t.persistent_pain\"", "is = \"painless || chronic && persistent_pain\"");
    assert!(faults[0].reason.contains("definition persistent_pain"), "{faults:?}");
    let faults = refused(
        "when = \"feverish && (infection_risk || new_deficit)\"",
        "when = \"feverish && found.spinal_infection_suspected\"",
    );
    assert!(faults[0].reason.contains("depends on itself"), "{faults:?}");
}

#[test]
fn broken_text_is_refused_and_never_panics() {
    let text = Protocol::embedded_text();
    assert!(Protocol::load("").is_err());
    assert!(Protocol::load(&text.repeat(30)).is_err());
    assert!(Protocol::load(&format!("x = \"{}\"", "(".repeat(9_999))).is_err());
    let deep = format!("is = \"{}true{}\"", "(".repeat(500), ")".repeat(500));
    let faults = refused("is = \"leg_pain >= t.persistent_pain\"", &deep);
    assert!(faults[0].reason.contains("nested too deeply"), "{faults:?}");
}

#[test]
fn the_difference_names_severities_limits_conditions_and_actions() {
    let mut text = Protocol::embedded_text().to_owned();
    for (from, to) in [
        ("severity = \"routine\"\nwhen = \"leg_pain.unknown\"", "severity = \"info\"\nwhen = \"!leg_pain.known\""),
        ("severity = \"urgent\"\nlimit = \"7d\"", "severity = \"urgent\"\nlimit = \"5d\""),
        ("action = \"Go on as planned.\"", "action = \"Go on.\""),
        ("when = \"leg_pain_worse && treatment", "when = \"leg_pain_worse   && treatment"),
        ("from_start = [14, 28]", "from_start = [14, 21]"),
        ("[options.strict_single_dermatome]\nvalue = false", "[options.strict_single_dermatome]\nvalue = true"),
        ("raised = { to = \"urgent\", limit = \"24h\", when = \"leg_pain_worse\" }", ""),
        ("is = \"days_of_symptoms > t.three_months\"", "is = \"days_of_symptoms >= t.three_months\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let changed = Protocol::load(&text).expect("all of it is safe");
    insta::assert_snapshot!(diff::changes(Protocol::embedded(), &changed).join("\n"));
    assert!(diff::changes(&changed, &changed).is_empty());
}

#[test]
fn the_page_for_clinicians_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let written = std::fs::read_to_string(path).expect("docs/protocol.md is there");
    let current = guide::markdown(Protocol::embedded());
    assert!(written == current, "docs/protocol.md is out of date: lasegue protocol show > docs/protocol.md");
}
