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
fn whoever_takes_over_what_another_has_accepted_is_responsible_and_the_holder_is_told() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.pass(minutes(20));
    world.act("b", Action::TakeOver).unwrap();
    assert_eq!(world.paged(), ["a taken-over"]);
    assert!(matches!(&world.alert().state, State::Accepted { by, at, .. } if by.0 == "b" && *at == world.now));
    assert_eq!(world.act("a", Action::Decline), Err(Impossible::AcceptedBy(Person("b".to_owned())).into()));
    world.pass(minutes(29));
    assert!(world.paged().is_empty(), "the acceptance begins anew");
    world.pass(minutes(1));
    assert_eq!(world.paged(), ["a acceptance-lapsed", "b acceptance-lapsed"]);
}

#[test]
fn whoever_has_accepted_is_told_when_another_signs() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.act("b", Action::Dispose { note: "seen".to_owned() }).unwrap();
    assert_eq!(world.paged(), ["a signed"]);
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.act("a", Action::Dispose { note: "seen".to_owned() }).unwrap();
    assert!(world.paged().is_empty());
}

#[test]
fn those_who_were_paged_are_told_when_it_is_signed_elsewhere() {
    let mut world = open_world();
    world.pass(minutes(5));
    world.act("lead", Action::Accept).unwrap();
    world.paged();
    let key = emergency().key;
    world.told(&RedFlags { dispositions: vec![key], ..flags(2, Vec::new()) });
    assert_eq!(world.paged(), ["a signed", "lead signed"]);
    world.pass(TimeDelta::days(1));
    assert!(world.paged().is_empty());
}

#[test]
fn taking_over_what_nobody_has_is_accepting_it_and_ones_own_stays_as_it_is() {
    let mut world = open_world();
    world.act("b", Action::TakeOver).unwrap();
    let accepted = world.case.clone();
    world.pass(minutes(3));
    world.act("b", Action::TakeOver).unwrap();
    assert_eq!(world.case, accepted);
    assert!(world.paged().is_empty());
    world.act("b", Action::Dispose { note: "seen".to_owned() }).unwrap();
    assert_eq!(world.act("a", Action::TakeOver), Err(Impossible::Closed("disposed").into()));
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
    assert_eq!(world.paged(), ["b handed-over"]);
    world.pass(minutes(5));
    assert_eq!(world.paged().len(), 4, "nobody accepted after the hand-over either");
    let unknown = Action::HandOver { to: Some("c".into()) };
    let refused = world.act("a", unknown).unwrap_err().to_string();
    assert!(refused.starts_with("there is no contact `c` to hand over to; there are `a`, `b`"), "{refused}");
}

#[test]
fn whoever_is_handed_an_alert_may_be_named_as_their_token_names_them() {
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.act("a", Action::HandOver { to: Some("B".into()) }).unwrap();
    assert_eq!(world.paged(), ["b handed-over"]);
}

#[test]
fn nobody_hands_over_to_themselves_under_any_spelling() {
    for name in ["a", "A", "\u{430}"] {
        let mut world = open_world();
        world.act(name, Action::Accept).unwrap();
        let accepted = world.case.clone();
        let to_oneself = Action::HandOver { to: Some("a".into()) };
        assert_eq!(world.act(name, to_oneself), Err(Refused::ToOneself("a".into())), "{name}");
        assert_eq!(world.case, accepted);
    }
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
    assert_eq!(world.paged(), ["b handed-over"]);
}

#[test]
fn what_was_signed_and_is_met_again_no_worse_pages_nobody_and_stands_in_the_history() {
    let mut world = open_world();
    world.act("a", Action::Dispose { note: "MRI normal".to_owned() }).unwrap();
    let again = RedFlags { persisting: vec![(emergency().key, sighting(2))], ..flags(2, Vec::new()) };
    let plan = red_flags::decide(world.case.clone(), &again, &world.on_call, world.now);
    let persists = What::Persists { submission: again.visit.submission };
    assert_eq!(plan.happened.iter().map(|happening| &happening.what).collect::<Vec<_>>(), [&persists]);
    assert!(plan.pages.is_empty());
    world.case = plan.case;
    let of_the_same_visit = RedFlags { revision: Revision(3), ..again };
    let plan = red_flags::decide(world.case.clone(), &of_the_same_visit, &world.on_call, world.now);
    assert!(plan.happened.is_empty(), "once for each submission");
}

#[test]
fn an_acceptance_that_is_over_is_over_also_before_its_timer_ran() {
    for (person, action) in [("a", Action::Accept), ("b", Action::Accept), ("b", Action::TakeOver)] {
        let mut world = open_world();
        world.act("a", Action::Accept).unwrap();
        world.now += minutes(30);
        world.act(person, action).unwrap();
        let until = world.alert().next_instant();
        assert_eq!(until, Some(world.now + minutes(30)), "{person} has it anew");
        assert!(world.paged().is_empty(), "whoever has taken it need not be paged");
    }
    let mut world = open_world();
    world.act("a", Action::Accept).unwrap();
    world.now += minutes(30);
    assert_eq!(world.act("a", extend(1)), Err(Impossible::NotAccepted.into()));
}

impl World {
    /// A page about the alert reached nobody.
    fn unreached(&mut self) -> Vec<String> {
        let plan = tick::unreached(self.case.clone(), &[self.alert().id], &self.on_call, self.now);
        self.take(plan);
        self.paged()
    }
}

#[test]
fn what_was_handed_over_to_somebody_who_cannot_be_reached_goes_on_at_once_in_any_round() {
    for waited in [1, 6, 16, 60] {
        let mut world = open_world();
        world.pass(minutes(waited));
        world.act("a", Action::Accept).unwrap();
        world.act("a", Action::HandOver { to: Some(ContactName("b".to_owned())) }).unwrap();
        world.paged();
        assert!(!world.unreached().is_empty(), "after {waited} minutes");
        let rounds = (0..10).take_while(|_| !world.unreached().is_empty()).count();
        assert!(rounds < 4, "receivers that all refuse do not make it spin");
    }
}

#[test]
fn whom_another_set_up_names_is_paged_when_those_of_the_old_one_cannot_be_reached() {
    let only = |name: &str| {
        set_up(&format!(
            r#"
contact = [{{ name = "{name}", channels = [{{ kind = "webhook", url = "http://host/", secret = "s" }}] }}]
policy = [{{ name = "default", steps = [{{ notify = ["contact:{name}"], wait = "30m" }}] }}]
"#
        ))
    };
    for waited in [0, 40] {
        let mut world = World::of(only("a"));
        world.told(&flags(1, vec![emergency()]));
        world.pass(minutes(waited));
        world.paged();
        world.on_call = only("newbie");
        assert_eq!(world.unreached().len(), 1, "the new one is paged");
        assert!(world.unreached().is_empty(), "once");
    }
}
