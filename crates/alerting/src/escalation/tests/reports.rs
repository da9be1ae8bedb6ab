use super::*;
use crate::ids::RefusalId;
use crate::plan::Report;

fn refusal(number: u128) -> RefusalId {
    RefusalId(Uuid::from_u128(number))
}

impl World {
    fn refused(&mut self, number: u128) {
        let plan = report::refused(self.case.clone(), refusal(number), &self.on_call, self.now);
        self.take(plan);
    }

    fn corrected(&mut self, number: u128) {
        let plan = report::corrected(self.case.clone(), refusal(number), &self.on_call, self.now);
        self.take(plan);
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
    let letters = Report::DeadLetters("alerting-visits".to_owned());
    world.tell(&letters);
    world.tell(&letters);
    assert_eq!(world.paged().len(), 4);
    world.pass(minutes(5));
    assert_eq!(world.paged().len(), 4);
    assert_eq!(world.operator.alerts.len(), 1);
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
    assert_eq!(world.paged(), ["desk repeated"]);
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
