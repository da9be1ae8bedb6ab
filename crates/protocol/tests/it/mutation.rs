//! Mutations of the protocol file itself: each changed sign of each condition must be noticed, by
//! the loader, by the table of rules or by the golden cases.

use lasegue_protocol::{Protocol, cases};

use crate::{golden, rules};

/// What is exchanged, the longer signs first.
const EXCHANGES: [(&str, &str); 9] = [
    (" >= ", " > "),
    (" <= ", " < "),
    (" > ", " >= "),
    (" < ", " <= "),
    (" == ", " != "),
    (" && ", " || "),
    (" || ", " && "),
    ("!", ""),
    (".unknown", ".known"),
];

/// The lines of the file that hold conditions.
fn is_condition(line: &str) -> bool {
    let starts = ["is = ", "when = ", "on_side = ", "  ", "raised = ", "qualifiers = ", "answered = "];
    starts.iter().any(|start| line.starts_with(start)) || line.contains(" = '''")
}

/// Every mutant: the number of its line, its line as it was and as it is, and the whole file.
fn mutants() -> Vec<(usize, String, String)> {
    let text = Protocol::embedded_text();
    let mut all = Vec::new();
    let mut inside = false;
    let mut offset = 0;
    for (number, line) in text.lines().enumerate() {
        let multi = inside;
        inside ^= line.matches("'''").count() % 2 == 1;
        if multi || (is_condition(line) && !line.contains("outcome = ")) {
            for (from, to) in EXCHANGES {
                for (at, _) in line.match_indices(from) {
                    let (before, after) = text.split_at(offset + at);
                    let mutant = format!("{before}{to}{}", &after[from.len()..]);
                    all.push((number + 1, format!("{from}→{to} in {line}"), mutant));
                }
            }
        }
        offset += line.len() + 1;
    }
    all
}

fn is_noticed(mutant: &str, all: &[(String, serde_json::Value)]) -> bool {
    let Ok(protocol) = Protocol::load(mutant) else {
        return true;
    };
    !rules::wrong(&protocol).is_empty() || all.iter().any(|(_, case)| !cases::mistakes(&protocol, case).is_empty())
}

#[test]
#[ignore = "takes minutes without optimisation; run with --release"]
fn every_changed_condition_is_noticed() {
    let golden = golden::all();
    let mutants = mutants();
    let mut survivors = Vec::new();
    for (line, what, text) in &mutants {
        if !is_noticed(text, &golden) {
            survivors.push(format!("line {line}: {what}"));
        }
    }
    println!("{} mutants, {} survive\n{}", mutants.len(), survivors.len(), survivors.join("\n"));
    assert!(mutants.len() > 200);
    assert!(survivors.len() * 20 <= mutants.len(), "more than one in twenty survives");
}
