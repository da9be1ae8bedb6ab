//! What the demo prints: few lines, each said once, readable without colour.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use lasegue_platform::clock::SharedClock;

use super::clinic::{Answer, Clinic, Patient};
use super::pager::Page;

/// The terminal.
pub(super) struct Screen {
    clock: SharedClock,
}

impl Screen {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock }
    }

    pub(super) fn filled(&self, clinic: &Clinic, took: TimeDelta) {
        println!(
            "  {} synthetic patients with {} visits went through intake and were assessed in {:.1} s.",
            clinic.patients().count(),
            clinic.visits(),
            seconds(took)
        );
    }

    pub(super) fn kinds(&self, kinds: &BTreeMap<String, usize>) {
        let listed: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        println!("  Their next visits: {}.", listed.join(", "));
        println!("  From now on something happens every few seconds. Ctrl-C ends the demo.\n");
    }

    pub(super) fn story(&self, patient: &Patient, told: &str) {
        println!("  {}  Patient {:03} {told}.", self.time(), patient.number);
    }

    pub(super) fn answered(&self, answer: &Answer) {
        match answer {
            Answer::Accepted => {}
            Answer::Refused(faults) => println!("            intake refuses it: {faults}"),
        }
    }

    pub(super) fn page(&self, page: &Page, took: TimeDelta, first: bool) {
        println!(
            "            {} pages {} after {} ms, reference {}",
            page.text.severity.to_uppercase(),
            page.contact,
            took.num_milliseconds(),
            page.text.reference
        );
        if first {
            println!("            That is all the page says, with a link: {}", page.text.link);
            println!("            No name, no symptom, no birth date leaves the building.");
        }
    }

    pub(super) fn accepted(&self, contact: &str, took: TimeDelta) {
        println!("            accepted by {contact} after {:.1} s\n", seconds(took));
    }

    pub(super) fn unanswered(&self) {
        println!("            nobody accepts: in a few seconds the next person is paged\n");
    }

    pub(super) fn late_page(&self, page: &Page) {
        println!(
            "  {}  Reference {} {}: {} is paged.\n",
            self.time(),
            page.text.reference,
            page.text.reason.replace('-', " "),
            page.contact
        );
    }

    pub(super) fn no_page(&self, patience: std::time::Duration) {
        println!("            no page came within {} s: look at the log above\n", patience.as_secs());
    }

    pub(super) fn over(&self) {
        println!("  {}  Every patient has had a story. The process goes on until Ctrl-C.", self.time());
    }

    fn time(&self) -> impl std::fmt::Display {
        self.clock.now().format("%H:%M:%S")
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}
