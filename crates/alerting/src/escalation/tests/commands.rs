use super::*;
use crate::ids::{AlertId, ContactName};
use crate::plan::What;
use crate::state::{Impossible, State};

fn open_world() -> World {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.paged();
    world
}

fn extend(hours: i64) -> Action {
    Action::Extend { until: noon() + TimeDelta::hours(hours), why: "waiting for the scanner".to_owned() }
}

#[test]
fn accepting_ones_own_alert_again_changes_nothing() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    let before = world.case.clone();
    world.pass(minutes(3));
    world.act("a", Action::Accept).unwrap();
    assert_eq!(world.case, before);
}

#[test]
fn what_another_has_accepted_cannot_be_accepted_or_declined() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    for action in [Action::Accept, Action::Decline] {
        assert_eq!(world.act("b", action), Err(Impossible::AcceptedBy(Person("a".to_owned())).into()));
    }
}

#[test]
fn declining_moves_on_at_once() {
    let mut world = open_world();
    world.act("a", Action::Decline).unwrap();
    assert_eq!(world.paged(), ["lead escalated"]);
    world.pass(minutes(10));
    assert_eq!(world.paged().len(), 4);
}

#[test]
fn handing_over_moves_on_to_the_next_step_or_to_somebody_by_name() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.act("a", Action::HandOver { to: None }).unwrap();
    assert_eq!(world.paged(), ["lead escalated"]);
    world.act("a", Action::HandOver { to: Some("b".into()) }).unwrap();
    assert_eq!(world.paged(), ["b escalated"]);
    world.pass(minutes(5));
    assert_eq!(world.paged().len(), 4, "nobody accepted after the hand-over either");
    let unknown = Action::HandOver { to: Some("c".into()) };
    assert_eq!(world.act("a", unknown), Err(Refused::NoContact("c".into())));
}

#[test]
fn an_emergency_can_be_kept_for_four_hours_at_most() {
    let mut world = open_world();
    assert_eq!(world.act("a", extend(2)), Err(Impossible::NotAccepted.into()));
    world.act("a", Action::Accept).unwrap();
    world.act("a", extend(2)).unwrap();
    world.pass(minutes(119));
    assert!(world.paged().is_empty());
    world.act("a", extend(4)).unwrap();
    assert!(matches!(world.act("a", extend(5)), Err(Refused::Impossible(Impossible::OutsideExtension { .. }))));
    world.pass(TimeDelta::hours(2));
    assert!(world.paged().is_empty());
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["a acceptance-lapsed"]);
}

#[test]
fn an_urgent_alert_holds_for_four_hours_and_cannot_be_extended() {
    let mut world = World::new();
    world.told(&flags(1, vec![finding("cauda-equina-watch", Urgency::SameDay)]));
    world.act("a", Action::Accept).unwrap();
    world.paged();
    assert_eq!(world.act("a", extend(5)), Err(Impossible::NotExtendable.into()));
    world.pass(TimeDelta::hours(4) - minutes(1));
    assert!(world.paged().is_empty());
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["a acceptance-lapsed"]);
}

#[test]
fn a_disposed_alert_pages_nobody_and_cannot_be_touched_again() {
    let mut world = open_world();
    world.act("a", Action::Dispose { note: "MRI normal".to_owned() }).unwrap();
    world.pass(TimeDelta::days(7));
    assert!(world.paged().is_empty());
    for action in [Action::Accept, Action::Decline, extend(1), Action::Dispose { note: String::new() }] {
        assert_eq!(world.act("a", action), Err(Impossible::Closed("disposed").into()));
    }
}

#[test]
fn a_finding_of_the_worklist_can_be_accepted_and_disposed_but_not_declined() {
    let mut world = World::new();
    world.told(&flags(1, vec![finding("reflex-changed", Urgency::SevenDays)]));
    assert_eq!(world.act("a", Action::Decline), Err(Impossible::NotPaging.into()));
    world.act("a", Action::Accept).unwrap();
    world.pass(TimeDelta::hours(4));
    assert!(world.paged().is_empty());
    assert_eq!(world.alert().state.word(), "listed", "it goes back to the worklist");
    world.act("a", Action::Dispose { note: "as before".to_owned() }).unwrap();
}

#[test]
fn whoever_saw_an_older_revision_is_told_the_news_instead() {
    let mut world = open_world();
    let alert = world.alert().id;
    let accept = |seen| Command { alert, by: Person("a".to_owned()), seen: Revision(seen), action: Action::Accept };
    world.told(&flags(2, vec![latched(worse(emergency()))]));
    let news = Refused::News { seen: Revision(1), current: Revision(2), alerts: vec![alert] };
    assert_eq!(world.act_on(accept(1)), Err(news));
    world.told(&flags(3, vec![latched(emergency())]));
    world.act_on(accept(2)).unwrap();
}

#[test]
fn an_unknown_alert_is_refused() {
    let mut world = open_world();
    let alert = AlertId(Uuid::from_u128(1));
    let command = Command { alert, by: Person("a".to_owned()), seen: Revision(1), action: Action::Accept };
    assert_eq!(world.act_on(command), Err(Refused::Unknown));
}

#[test]
fn what_a_person_does_is_told_for_the_audit_and_calls_back_what_is_queued() {
    let world = open_world();
    let alert = world.alert().id;
    let command = Command { alert, by: Person("a".to_owned()), seen: Revision(1), action: Action::Accept };
    let plan = command::decide(world.case, command, &world.on_call, world.now).unwrap();
    assert!(
        matches!(&plan.happened[..], [happening] if matches!(&happening.what, What::Accepted { by, .. } if by.0 == "a"))
    );
    assert!(plan.settled.contains(&alert));
    assert!(matches!(plan.case.alerts[&alert].state, State::Accepted { .. }));
}

#[test]
fn nobody_has_seen_a_revision_that_is_still_to_come() {
    let mut world = open_world();
    let alert = world.alert().id;
    let seen = Revision(999_999_999);
    let command = Command { alert, by: Person("a".to_owned()), seen, action: Action::Accept };
    assert_eq!(world.act_on(command), Err(Refused::Ahead { seen, current: world.case.shown() }));
}

#[test]
fn only_the_holder_gives_an_accepted_alert_away() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.paged();
    let held = Err(Impossible::AcceptedBy(Person("a".to_owned())).into());
    for action in
        [Action::HandOver { to: None }, Action::HandOver { to: Some(ContactName("b".to_owned())) }, Action::Decline]
    {
        assert_eq!(world.act("b", action), held);
    }
    world.act("a", Action::HandOver { to: Some(ContactName("b".to_owned())) }).unwrap();
    assert_eq!(world.paged(), ["b escalated"]);
}
