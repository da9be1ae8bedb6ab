//! What the demo prints: few lines, each said once, readable without colour.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::clinic::{Answer, Clinic, Patient};
use super::pager::Page;
use crate::terminal::say;

pub(super) fn filled(clinic: &Clinic, took: TimeDelta) {
    say!(
        "  {} synthetic patients with {} visits went through intake and were assessed in {:.1} s.",
        clinic.patients().count(),
        clinic.visits(),
        seconds(took)
    );
}

pub(super) fn kinds(kinds: &BTreeMap<String, usize>) {
    let listed: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    say!("  Their next visits: {}.", listed.join(", "));
    say!("  From now on something happens every few seconds. Ctrl-C ends the demo.\n");
}

pub(super) fn story(now: DateTime<Utc>, patient: &Patient, told: &str) {
    say!("  {}  Patient {:03} {told}.", time(now), patient.number);
}

pub(super) fn answered(answer: &Answer) {
    match answer {
        Answer::Accepted => {}
        Answer::Refused(faults) => say!("            intake refuses it: {faults}"),
    }
}

pub(super) fn page(page: &Page, took: TimeDelta, first: bool) {
    say!(
        "            {} pages {} after {} ms, reference {}",
        page.text.severity.to_uppercase(),
        page.contact,
        took.num_milliseconds(),
        page.text.reference
    );
    if first {
        say!("            That is all the page says, with a link: {}", page.text.link);
        say!("            No name, no symptom, no birth date leaves the building.");
    }
}

pub(super) fn accepted(contact: &str, took: TimeDelta) {
    say!("            accepted by {contact} after {:.1} s\n", seconds(took));
}

pub(super) fn unanswered() {
    say!("            nobody accepts: in a few seconds the next person is paged\n");
}

pub(super) fn late_page(page: &Page) {
    say!(
        "  {}  Reference {} {}: {} is paged.\n",
        time(page.at),
        page.text.reference,
        page.text.reason.replace('-', " "),
        page.contact
    );
}

pub(super) fn no_page(patience: std::time::Duration) {
    say!("            no page came within {} s: look at the log above\n", patience.as_secs());
}

pub(super) fn over(now: DateTime<Utc>) {
    say!("  {}  Every patient has had a story. The process goes on until Ctrl-C.", time(now));
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}

fn time(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%H:%M:%S")
}
