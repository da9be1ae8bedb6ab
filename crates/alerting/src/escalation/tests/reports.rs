use super::*;
use crate::alert::{Origin, Told};
use crate::ids::RefusalId;
use crate::letter::Letter;
use crate::plan::Report;

fn refusal(number: u128) -> RefusalId {
    RefusalId(Uuid::from_u128(number))
}

fn letter(number: u128) -> Letter {
    Letter {
        id: Uuid::from_u128(number),
        consumer: "alerting-visits".to_owned(),
        event_type: "lasegue.scheduling.v1.VisitOverdue".to_owned(),
        episode_id: Some(CaseId(Uuid::from_u128(7))),
        failing: false,
    }
}

impl World {
    fn refused(&mut self, number: u128) {
        self.refused_as(number, true);
    }

    fn unreadable(&mut self, number: u128) {
        self.refused_as(number, false);
    }

    fn refused_as(&mut self, number: u128, danger: bool) {
        let told = Told { episode: EPISODE, danger };
        let plan = report::refused(self.case.clone(), refusal(number), told, &self.on_call, self.now);
        self.take(plan);
    }

    fn corrected(&mut self, number: u128) {
        let plan = report::corrected(self.case.clone(), refusal(number), &self.on_call, self.now);
        self.take(plan);
    }

    /// The only alert of the service's own case.
    fn operators(&self) -> Alert {
        assert_eq!(self.operator.alerts.len(), 1, "{:?}", self.operator.alerts);
        self.operator.alerts.values().next().unwrap().clone()
    }

    fn accept_operators(&mut self) {
        let (alert, seen) = (self.operators().id, self.operator.shown());
        let accept = Command { alert, by: Person("lead".to_owned()), seen, action: Action::Accept };
        self.operator = command::decide(self.operator.clone(), accept, &self.on_call, self.now).unwrap().case;
    }

    fn tell(&mut self, report: &Report) {
        let plan = report::tell(self.operator.clone(), report, &self.on_call, self.now);
        self.operator = plan.case;
        self.send(plan.pages);
    }
}

#[test]
fn a_refused_submission_pages_and_its_correction_closes_the_alert() {
    let mut world = World::new();
    world.refused(1);
    assert_eq!(world.paged(), ["a opened"]);
    world.corrected(1);
    assert_eq!(world.paged(), ["a answered"]);
    assert_eq!(world.alert().state.word(), "closed");
}

#[test]
fn a_correction_that_arrives_first_counts_all_the_same() {
    let mut world = World::new();
    world.corrected(1);
    world.refused(1);
    assert!(world.paged().is_empty());
    assert!(world.case.alerts.is_empty());
}

#[test]
fn a_refused_body_that_comes_again_is_known_while_its_alert_is_open_and_pages_anew_after_it_was_signed() {
    let mut world = World::new();
    world.refused(1);
    world.refused(1);
    assert_eq!(world.paged(), ["a opened"]);
    world.act("a", Action::Dispose { note: "phoned the patient".to_owned() }).unwrap();
    world.paged();
    world.refused(1);
    assert_eq!(world.paged(), ["a opened"]);
    world.corrected(1);
    assert_eq!(world.paged(), ["a answered"]);
}

#[test]
fn a_danger_sign_among_what_could_not_be_read_is_worse_and_pages_once() {
    let mut world = World::new();
    for number in 1..=200 {
        world.unreadable(number);
    }
    assert_eq!(world.paged(), ["a opened"], "they share an alert");
    world.refused(201);
    assert_eq!(world.paged(), ["a worse"]);
    world.refused(202);
    assert!(world.paged().is_empty());
    let Origin::Refusals { open, told, count } = &world.alert().origin else { panic!("no refusals") };
    assert_eq!((open.len(), told.len(), *count), (202, 202, 202));
}

#[test]
fn an_alert_names_a_thousand_refusals_and_every_danger_sign_and_counts_the_rest() {
    let mut world = World::new();
    for number in 1..=1_100 {
        world.unreadable(number);
    }
    world.refused(1_101);
    let Origin::Refusals { open, count, .. } = &world.alert().origin else { panic!("no refusals") };
    assert_eq!((open.len(), *count), (1_001, 1_101));
    assert!(open.contains(&refusal(1_101)));
}

#[test]
fn of_several_refusals_each_has_to_be_corrected() {
    let mut world = World::new();
    world.refused(1);
    world.refused(2);
    world.refused(2);
    assert_eq!(world.paged(), ["a opened"]);
    world.corrected(1);
    assert_eq!(world.alert().state.word(), "open");
    world.corrected(2);
    assert_eq!(world.alert().state.word(), "closed");
}

#[test]
fn a_further_refusal_pages_again_after_acceptance() {
    let mut world = World::new();
    world.refused(1);
    world.act("a", Action::Accept).unwrap();
    world.paged();
    world.refused(2);
    assert_eq!(world.paged(), ["a worse"]);
}

#[test]
fn a_correction_after_a_person_closed_the_alert_changes_nothing() {
    let mut world = World::new();
    world.refused(1);
    world.act("a", Action::Dispose { note: "phoned the patient".to_owned() }).unwrap();
    let before = world.case.clone();
    world.corrected(1);
    assert_eq!(world.case, before);
}

#[test]
fn red_flags_do_not_close_the_alert_about_a_refused_submission() {
    let mut world = World::new();
    world.refused(1);
    world.told(&flags(1, vec![]));
    assert_eq!(world.alert().state.word(), "open");
}

#[test]
fn an_unreadable_red_flag_pages_the_catch_all_as_an_emergency() {
    let mut world = World::new();
    let plan = report::unreadable_red_flag(world.case.clone(), &world.on_call, world.now);
    world.take(plan);
    assert_eq!(world.paged().len(), 4);
    assert_eq!(world.sent[0].1.headline().unwrap().tone.word(), "emergency");
}

#[test]
fn a_trouble_pages_the_catch_all_until_accepted_and_opens_once() {
    let mut world = World::new();
    let letter = Report::Unhandled(letter(1));
    world.tell(&letter);
    world.tell(&letter);
    assert_eq!(world.paged().len(), 4);
    world.pass(minutes(5));
    assert_eq!(world.paged().len(), 4);
    assert_eq!(world.operator.alerts.len(), 1);
}

#[test]
fn a_second_message_that_could_not_be_handled_counts_on_the_alert_and_pages_again_once_accepted() {
    let mut world = World::new();
    world.tell(&Report::Unhandled(letter(1)));
    world.paged();
    let news = world.operators().news;
    world.tell(&Report::Unhandled(letter(2)));
    assert!(world.paged().is_empty(), "it pages anyway");
    let alert = world.operators();
    assert!(alert.news > news, "whoever looks sees that there is more");
    assert_eq!((alert.letters.count, alert.letters.latest), (2, vec![letter(1), letter(2)]));
    world.accept_operators();
    world.tell(&Report::Unhandled(letter(2)));
    assert!(world.paged().is_empty(), "it was named before");
    world.tell(&Report::Unhandled(letter(3)));
    assert_eq!(world.paged().len(), 4);
    assert_eq!(world.operators().letters.count, 3);
}

#[test]
fn what_was_set_aside_and_what_goes_on_failing_are_alerts_of_their_own() {
    let mut world = World::new();
    world.tell(&Report::Unhandled(letter(1)));
    world.tell(&Report::Unhandled(Letter { failing: true, ..letter(2) }));
    let keys: Vec<_> = world.operator.alerts.values().map(|alert| alert.key.to_string()).collect();
    assert_eq!(
        keys.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        ["dead-letters:alerting-visits", "failing-events:alerting-visits"].into()
    );
}

#[test]
fn a_database_that_fails_pages_once_until_somebody_accepts_and_then_again() {
    for report in [Report::NothingStored, Report::Damaged] {
        let mut world = World::new();
        world.tell(&report("intake".to_owned()));
        let opened = world.paged();
        assert!(opened.iter().all(|paged| paged.ends_with(" opened")) && !opened.is_empty(), "{opened:?}");
        for service in ["scheduling", "intake"] {
            world.tell(&report(service.to_owned()));
        }
        assert!(world.paged().is_empty());
        assert_eq!(world.operators().services, ["intake".to_owned(), "scheduling".to_owned()].into());
        world.accept_operators();
        world.tell(&report("intake".to_owned()));
        assert_eq!(world.paged().len(), opened.len(), "another outage is news");
    }
}

#[test]
fn the_coordinator_hears_of_missed_visits_once_a_day() {
    let mut world = World::new();
    for _ in 0..200 {
        world.tell(&Report::MissedVisits);
    }
    assert_eq!(world.paged(), ["desk opened"]);
    world.pass(TimeDelta::days(1));
    assert!(world.paged().is_empty());
    world.tell(&Report::MissedVisits);
    assert_eq!(world.paged(), ["desk met-again"]);
}

#[test]
fn whoever_signs_without_having_seen_the_second_refusal_is_told_of_it_instead() {
    let mut world = World::new();
    world.told(&flags(3, vec![]));
    world.refused(1);
    let seen = world.case.shown();
    world.act("a", Action::Accept).unwrap();
    world.refused(2);
    let alert = world.alert().id;
    let dispose = |seen| Command {
        alert,
        by: Person("a".to_owned()),
        seen,
        action: Action::Dispose { note: "examined".to_owned() },
    };
    assert!(matches!(world.act_on(dispose(seen)), Err(Refused::News { .. })));
    world.act_on(dispose(world.case.shown())).unwrap();
}

#[test]
fn a_second_refusal_is_news_also_while_the_first_still_pages() {
    let mut world = World::new();
    world.refused(1);
    let seen = world.case.shown();
    world.refused(2);
    assert!(world.case.shown() > seen && world.alert().news > seen);
}
