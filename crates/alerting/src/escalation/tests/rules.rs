use super::*;
use crate::state::{Closure, State};

#[test]
fn an_emergency_pages_whoever_is_on_call_at_once() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    assert_eq!(world.paged(), ["a opened"]);
}

#[test]
fn an_active_finding_without_an_alert_opens_one_whatever_its_status() {
    let mut world = World::new();
    world.told(&flags(5, vec![latched(emergency())]));
    assert_eq!(world.paged(), ["a opened"]);
}

#[test]
fn alerts_of_one_revision_are_one_page_a_contact() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency(), finding("motor-deficit-progressive", Urgency::OneDay)]));
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.sent[0].1.lines.len(), 2);
}

#[test]
fn without_acceptance_the_next_step_follows_then_everybody_over_and_over() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.paged();
    world.pass(minutes(5));
    assert_eq!(world.paged(), ["lead escalated"]);
    world.pass(minutes(10));
    assert_eq!(world.paged(), ["a repeated", "b repeated", "desk repeated", "lead repeated"]);
    world.pass(minutes(5));
    assert_eq!(world.paged(), ["a repeated", "b repeated", "desk repeated", "lead repeated"]);
}

#[test]
fn nobody_on_call_means_the_next_step_at_once_and_an_alert_about_the_gap() {
    let mut world = World::new();
    world.now = "2026-01-05T08:00:00Z".parse().unwrap();
    world.told(&flags(1, vec![emergency()]));
    assert_eq!(world.paged(), ["lead opened", "a opened", "b opened", "desk opened", "lead opened"]);
    assert_eq!(world.operator.alerts.values().next().unwrap().key.code, "on-call-gap:spine");
}

#[test]
fn when_no_step_reaches_anybody_the_catch_all_is_paged_at_once() {
    let toml = SET_UP.replace(", { notify = [\"contact:lead\"], wait = \"10m\" }", "");
    let mut world = World::of(set_up(&toml));
    world.now = "2026-01-05T08:00:00Z".parse().unwrap();
    world.told(&flags(1, vec![emergency()]));
    assert_eq!(world.sent.iter().filter(|(_, page)| page.lines.contains_key(&world.alert().id)).count(), 4);
}

#[test]
fn an_acceptance_stops_the_pages_until_it_lapses() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.act("a", Action::Accept).unwrap();
    world.paged();
    world.pass(minutes(29));
    assert!(world.paged().is_empty());
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["a acceptance-lapsed"]);
    world.pass(minutes(5));
    assert_eq!(world.paged(), ["lead escalated"]);
}

#[test]
fn a_lapsed_acceptance_pages_the_person_who_had_accepted_as_well() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.act("lead", Action::Accept).unwrap();
    world.paged();
    world.pass(minutes(30));
    assert_eq!(world.paged(), ["a acceptance-lapsed", "lead acceptance-lapsed"]);
}

#[test]
fn worse_pages_again_even_after_acceptance_and_wants_a_new_one() {
    let mut world = World::new();
    world.told(&flags(1, vec![latched(emergency())]));
    world.act("a", Action::Accept).unwrap();
    world.paged();
    world.told(&flags(2, vec![worse(latched(emergency()))]));
    assert_eq!(world.paged(), ["a worse"]);
    assert_eq!(world.alert().state.word(), "open");
}

#[test]
fn worse_is_judged_by_what_the_alert_remembers() {
    let mut world = World::new();
    world.told(&flags(1, vec![latched(worse(worse(emergency())))]));
    world.paged();
    world.told(&flags(2, vec![latched(emergency())]));
    world.told(&flags(3, vec![latched(worse(emergency()))]));
    assert!(world.paged().is_empty());
    world.told(&flags(4, vec![latched(worse(worse(worse(emergency()))))]));
    assert_eq!(world.paged(), ["a worse"]);
}

#[test]
fn a_ground_not_seen_before_is_worse() {
    let mut world = World::new();
    world.told(&flags(1, vec![latched(emergency())]));
    world.paged();
    let mut two_grounds = latched(emergency());
    two_grounds.measure.insert("another".to_owned(), 1);
    world.told(&flags(2, vec![two_grounds]));
    assert_eq!(world.paged(), ["a worse"]);
}

#[test]
fn an_urgent_finding_that_becomes_an_emergency_is_worse() {
    let mut world = World::new();
    world.told(&flags(1, vec![finding("malignancy-suspected", Urgency::SevenDays)]));
    assert!(world.paged().is_empty());
    world.told(&flags(2, vec![finding("malignancy-suspected", Urgency::Emergency)]));
    assert_eq!(world.paged(), ["a worse"]);
}

#[test]
fn an_open_emergency_pages_again_on_each_new_submission_that_meets_it() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.act("a", Action::Accept).unwrap();
    world.paged();
    world.told(&flags(2, vec![latched(emergency())]));
    assert!(world.paged().is_empty());
    world.told(&flags(3, vec![emergency()]));
    assert_eq!(world.paged(), ["a met-again"]);
    assert_eq!(world.alert().state.word(), "accepted");
}

#[test]
fn a_new_revision_of_the_same_submission_does_not_page_again() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.paged();
    let again = Finding { last_met: Some(sighting(1)), ..emergency() };
    world.told(&RedFlags { visit: visit(1), ..flags(2, vec![again]) });
    assert!(world.paged().is_empty());
}

#[test]
fn a_submission_of_an_earlier_or_the_same_date_that_meets_an_emergency_again_pages_like_any_other() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.paged();
    let late = Finding { last_met: Some(sighting(2)), ..emergency() };
    world.told(&RedFlags { visit: visit(1), ..flags(2, vec![late.clone()]) });
    assert_eq!(world.paged(), ["a met-again"]);
    world.told(&RedFlags { visit: visit(1), ..flags(3, vec![late]) });
    assert!(world.paged().is_empty(), "once for each submission");
}

#[test]
fn what_is_left_when_the_newest_submission_is_voided_was_told_already() {
    let mut world = World::new();
    let late = Finding { last_met: Some(sighting(1)), ..latched(emergency()) };
    world.told(&flags(1, vec![emergency()]));
    world.told(&flags(2, vec![emergency()]));
    world.paged();
    world.told(&RedFlags { visit: visit(1), ..flags(3, vec![Finding { met_at_visit: true, ..late }]) });
    assert!(world.paged().is_empty());
}

#[test]
fn news_never_postpones_the_next_step() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    for revision in 2..6 {
        world.pass(minutes(1));
        world.told(&flags(revision, vec![emergency()]));
    }
    world.paged();
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["lead escalated"]);
}

#[test]
fn an_open_urgent_finding_pages_again_only_when_overdue() {
    let mut world = World::new();
    let late = || finding("cauda-equina-watch", Urgency::SameDay);
    world.now = noon() + TimeDelta::hours(9);
    world.told(&flags(1, vec![late()]));
    world.act("a", Action::Accept).unwrap();
    world.paged();
    world.told(&flags(2, vec![late()]));
    assert!(world.paged().is_empty());
    world.pass(TimeDelta::hours(2));
    assert_eq!(world.paged(), ["a overdue"]);
}

#[test]
fn a_seven_day_finding_waits_on_the_worklist_and_pages_when_overdue() {
    let mut world = World::new();
    world.told(&flags(1, vec![finding("reflex-changed", Urgency::SevenDays)]));
    world.pass(TimeDelta::days(7) - minutes(1));
    assert!(world.paged().is_empty());
    assert_eq!(world.alert().state.word(), "listed");
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["b overdue"]);
}

#[test]
fn a_24_hour_finding_of_the_night_pages_in_the_morning_and_never_after_half_its_limit() {
    let mut world = World::new();
    world.now = noon() + TimeDelta::hours(10);
    world.told(&flags(1, vec![finding("motor-deficit-undated", Urgency::OneDay)]));
    assert!(world.paged().is_empty());
    world.pass(TimeDelta::hours(2));
    assert_eq!(world.paged(), ["a opened"], "half of its limit is over at midnight");
}

#[test]
fn a_correction_tells_everybody_who_was_paged_once_and_the_alert_stays() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.pass(minutes(5));
    world.paged();
    let pending = || Finding { corrected_pending: true, ..latched(emergency()) };
    world.told(&flags(2, vec![pending()]));
    assert_eq!(world.paged(), ["a corrected", "lead corrected"]);
    world.told(&flags(3, vec![pending()]));
    assert!(world.paged().is_empty());
    assert_eq!(world.alert().state.word(), "open");
}

#[test]
fn an_answered_ask_closes_and_those_paged_are_told() {
    let mut world = World::new();
    world.told(&flags(1, vec![finding("cauda-equina-not-excluded", Urgency::SameDay)]));
    world.paged();
    world.told(&flags(2, vec![]));
    assert_eq!(world.paged(), ["a answered"]);
    assert!(matches!(world.alert().state, State::Closed { closure: Closure::Answered, .. }));
    world.pass(TimeDelta::days(1));
    assert!(world.paged().is_empty());
}

#[test]
fn a_finding_that_vanishes_with_a_signature_is_disposed_and_without_one_withdrawn() {
    for (dispositions, closure) in [(vec![emergency().key], Closure::Disposed), (vec![], Closure::Withdrawn)] {
        let mut world = World::new();
        world.told(&flags(1, vec![emergency()]));
        world.told(&RedFlags { dispositions, ..flags(2, vec![]) });
        assert!(matches!(&world.alert().state, State::Closed { closure: found, .. } if *found == closure));
    }
}

#[test]
fn the_same_and_lower_revisions_change_nothing() {
    let mut world = World::new();
    world.told(&flags(3, vec![emergency()]));
    let before = world.case.clone();
    world.paged();
    for old in [flags(3, vec![]), flags(2, vec![worse(emergency())]), flags(1, vec![])] {
        world.told(&old);
    }
    assert!(world.paged().is_empty());
    assert_eq!(world.case, before);
}

#[test]
fn what_a_person_signed_here_opens_no_second_alert_before_assessment_has_heard_of_it() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.act("a", Action::Dispose { note: "MRI normal".to_owned() }).unwrap();
    world.paged();
    world.told(&flags(2, vec![emergency()]));
    assert!(world.paged().is_empty());
    world.told(&RedFlags { dispositions: vec![emergency().key], ..flags(3, vec![emergency()]) });
    assert_eq!(world.paged(), ["a opened"], "assessment knows the signature and the finding is active all the same");
}

#[test]
fn what_is_worse_than_what_a_person_signed_pages_at_once() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.act("a", Action::Dispose { note: "MRI normal".to_owned() }).unwrap();
    world.paged();
    world.told(&flags(2, vec![worse(emergency())]));
    assert_eq!(world.paged(), ["a opened"]);
}

#[test]
fn an_old_import_pages_nobody_but_the_coordinator_once() {
    let mut world = World::new();
    world.now = noon() + TimeDelta::days(8);
    let imported = |revision| {
        let (visit, told_at) = (Visit { imported: true, ..visit(revision) }, noon() + TimeDelta::days(8));
        RedFlags {
            told_at,
            visit,
            ..flags(revision, vec![worse(emergency()), finding("reflex-changed", Urgency::SevenDays)])
        }
    };
    world.told(&imported(1));
    world.told(&imported(2));
    assert_eq!(world.paged(), ["desk opened"]);
    world.pass(TimeDelta::days(1));
    assert!(world.paged().is_empty());
    assert_eq!(world.states(), ["cauda-equina-emergency listed".to_owned(), "reflex-changed listed".to_owned()].into());
}

#[test]
fn a_live_submission_that_meets_an_imported_emergency_pages() {
    let mut world = World::new();
    world.now = noon() + TimeDelta::days(8);
    let old = RedFlags { told_at: world.now, ..flags(1, vec![emergency()]) };
    world.told(&RedFlags { visit: Visit { imported: true, ..visit(1) }, ..old });
    assert!(world.alert().paged.is_empty());
    world.paged();
    world.told(&RedFlags { visit: Visit { received_at: world.now, ..visit(2) }, ..flags(2, vec![emergency()]) });
    assert_eq!(world.paged(), ["b opened"]);
}

#[test]
fn a_recent_import_pages_like_any_other() {
    let mut world = World::new();
    world.told(&RedFlags { visit: Visit { imported: true, ..visit(1) }, ..flags(1, vec![emergency()]) });
    assert_eq!(world.paged(), ["a opened"]);
}

/// The same, from an import of a visit ten days before.
fn imported(flags: RedFlags) -> RedFlags {
    let assessed_at = flags.told_at - TimeDelta::days(10);
    RedFlags { visit: Visit { imported: true, assessed_at, ..flags.visit.clone() }, ..flags }
}

#[test]
fn what_an_old_import_brought_pages_once_a_live_visit_meets_it() {
    let watch = finding("cauda-equina-watch", Urgency::SameDay);
    let mut world = World::new();
    world.told(&imported(flags(1, vec![watch.clone()])));
    assert_eq!(world.paged(), ["desk opened"], "the coordinator alone");
    world.told(&flags(2, vec![latched(watch.clone())]));
    assert!(world.paged().is_empty(), "a visit that does not meet it is no news of it");
    world.told(&flags(3, vec![watch.clone()]));
    assert_eq!(world.paged(), ["a opened"]);
    world.told(&flags(4, vec![watch]));
    assert!(world.paged().is_empty(), "it pages already");
}

#[test]
fn an_import_is_old_or_not_when_assessment_tells_of_it_however_late_it_is_heard() {
    let mut world = World::new();
    let told = flags(1, vec![emergency()]);
    let assessed_at = told.told_at - TimeDelta::days(7) + TimeDelta::seconds(30);
    world.now += minutes(1);
    world.told(&RedFlags { visit: Visit { imported: true, assessed_at, ..told.visit.clone() }, ..told });
    assert_eq!(world.paged(), ["a opened"]);
}

#[test]
fn an_urgent_alert_that_becomes_an_emergency_starts_the_emergencies_policy_at_its_first_step() {
    let policies = SET_UP.replace(
        "policy = [",
        "policy = [{ name = \"urgent\", steps = [{ notify = [\"contact:lead\"], wait = \"30m\" }] }, ",
    );
    let mut world = World::of(set_up(&policies));
    let urgent = finding("motor-deficit-progressive", Urgency::SameDay);
    world.told(&flags(1, vec![urgent.clone()]));
    assert_eq!(world.paged(), ["lead opened"]);
    let emergency = Finding { urgency: Urgency::Emergency, ..worse(urgent) };
    world.told(&flags(2, vec![emergency]));
    assert_eq!(world.paged(), ["a worse", "lead worse"]);
    assert_eq!(world.alert().next_instant(), Some(world.now + minutes(5)));
}

/// What met an emergency, so many days before it was told of.
fn met(live: bool, days: i64) -> Finding {
    let latest_at = visit(1).received_at - TimeDelta::days(days);
    Finding { met: Some(Met { live, latest_at }), ..emergency() }
}

#[test]
fn an_old_import_pages_nobody_whatever_came_live_beside_it_until_a_live_visit_meets_it() {
    let mut world = World::new();
    world.told(&flags(1, vec![latched(met(false, 20))]));
    assert_eq!((world.paged(), world.alert().state.word()), (vec!["desk opened".to_owned()], "listed"));
    world.told(&flags(2, vec![latched(met(false, 20))]));
    assert!(world.paged().is_empty(), "a calm live visit is no meeting");
    world.told(&flags(3, vec![Finding { last_met: Some(sighting(3)), ..latched(met(true, 0)) }]));
    assert_eq!(world.paged(), ["a opened"], "it came late, and is not the assessed one");
}

#[test]
fn a_recent_or_live_meeting_pages_whatever_came_with_it() {
    for pages in [met(true, 20), met(false, 7), latched(met(true, 0))] {
        let mut world = World::new();
        world.told(&flags(1, vec![pages]));
        assert_eq!(world.paged(), ["a opened"]);
    }
}

#[test]
fn of_two_submissions_that_came_together_the_second_is_no_news_when_the_first_is_voided() {
    let mut world = World::new();
    let together = |number: u64| Some(Sighting { revision: Revision(1), received_at: noon(), ..sighting(number) });
    world.told(&flags(1, vec![Finding { last_met: together(2), ..emergency() }]));
    world.paged();
    world.told(&flags(2, vec![Finding { last_met: together(1), ..emergency() }]));
    assert!(world.paged().is_empty());
}
